"""Mean negative log-probability of the true class."""

from __future__ import annotations

import numpy as np

from nnctl.metrics.registry import metric
from nnctl.metrics.views import Classified, MultiLabel


@metric("log_loss", of=Classified)
def log_loss(view: Classified) -> float:
    """``mean(-log p(true class))``; NaN if the outputs are not probabilities or logits.

    Without class weights, smoothing or penalty: what two networks trained differently share.
    """
    return float(-view.own_log_probabilities.mean())


@metric("log_loss", of=MultiLabel)
def answers_log_loss(view: MultiLabel) -> float:
    """Mean negative log-probability of the right answer, over all answers."""
    return float(np.logaddexp(0.0, np.where(view.answers, -view.scores, view.scores)).mean())
