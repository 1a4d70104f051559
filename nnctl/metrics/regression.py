"""How far predicted numbers are from the true ones. Several columns: the mean over the columns."""

from __future__ import annotations

import numpy as np

from nnctl.metrics.registry import metric
from nnctl.metrics.views import Regressed


@metric("mae", of=Regressed)
def mae(view: Regressed) -> float:
    """Mean absolute error."""
    return float(np.abs(view.errors).mean())


@metric("mse", of=Regressed)
def mse(view: Regressed) -> float:
    """Mean squared error, without a half."""
    return float(np.square(view.errors).mean())


@metric("rmse", of=Regressed)
def rmse(view: Regressed) -> float:
    """Root of the mean squared error of each column, averaged."""
    return float(np.sqrt(np.square(view.errors).mean(axis=0)).mean())


@metric("r2", of=Regressed)
def r2(view: Regressed) -> float:
    """Coefficient of determination, ``1 - sum(e^2) / sum((t - mean t)^2)``, averaged over columns.

    NaN if a column of the truth does not vary: there is nothing to explain.
    """
    if (view.truth == view.truth[0]).all(axis=0).any():
        return float("nan")
    spread = np.square(view.truth - view.truth.mean(axis=0)).sum(axis=0)
    return float((1.0 - np.square(view.errors).sum(axis=0) / spread).mean())
