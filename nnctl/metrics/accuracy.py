"""Share of the samples that are classified correctly (the notes' Definition 5.2)."""

from __future__ import annotations

import numpy as np

from nnctl.metrics.registry import metric
from nnctl.metrics.views import Classified, MultiLabel


@metric("accuracy", of=Classified)
def accuracy(view: Classified) -> float:
    """Samples whose predicted class is the true one, over all samples."""
    return float(np.trace(view.confusion)) / view.count


@metric("top_{k}_accuracy", of=Classified)
def top_k_accuracy(view: Classified, k: int) -> float:
    """Samples whose true class is among the ``k`` highest scores; ties go to the lower class."""
    if view.binary:
        return 1.0 if k > 1 else accuracy(view)
    own = np.take_along_axis(view.scores, view.labels[:, None], axis=1)
    lower = np.arange(view.scores.shape[1]) < view.labels[:, None]
    ahead = (view.scores > own) | ((view.scores == own) & lower)
    return float(np.mean(ahead.sum(axis=1) < k))


@metric("accuracy", of=MultiLabel)
def answers_accuracy(view: MultiLabel) -> float:
    """Yes-or-no answers that are right, over all answers of all samples."""
    return float(np.mean(view.predicted == view.answers))


@metric("exact_match", of=MultiLabel)
def exact_match(view: MultiLabel) -> float:
    """Samples with every answer right, over all samples."""
    return float(np.mean((view.predicted == view.answers).all(axis=1)))
