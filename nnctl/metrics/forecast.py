"""Forecasts beside the simplest one: that everything stays as it was last."""

from __future__ import annotations

import numpy as np

from nnctl.metrics.registry import metric
from nnctl.metrics.views import Forecast


@metric("naive_mae", of=Forecast)
def naive_mae(view: Forecast) -> float:
    """Mean absolute error of the last value that was seen, carried forward."""
    return float(np.abs(view.naive - view.truth).mean())


@metric("skill", of=Forecast)
def skill(view: Forecast) -> float:
    """``1 - mae / naive_mae``: 1 is perfect, 0 is no better than carrying the last value forward.

    NaN if nothing changes: carrying on is perfect then.
    """
    naive = naive_mae(view)
    return 1.0 - float(np.abs(view.errors).mean()) / naive if naive else float("nan")
