"""The mistakes that a classifier is surest of: what a report shows first of what goes wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.metrics import Classified
from nnctl.run.heads import Array, Head

MISTAKES = 24


def surest_mistakes(head: Head, seen: Classified, index: Array | None) -> list[dict[str, Any]]:
    """Return the wrong samples by the probability given to the wrong class, the largest first.

    ``index`` are the samples' places in the data set. A probability that is none is None.
    """
    wrong = np.flatnonzero(seen.predicted != seen.labels)
    given = _log_probabilities(seen, wrong, seen.predicted)
    order = np.argsort(np.where(np.isnan(given), np.inf, -given), kind="stable")[:MISTAKES]
    return told(head, seen, wrong[order], index)


def told(head: Head, seen: Classified, rows: Array, index: Array | None) -> list[dict[str, Any]]:
    """Return what is said of some rows: the class, the one predicted, the probabilities of both."""
    given = _log_probabilities(seen, rows, seen.predicted)
    true = _log_probabilities(seen, rows, seen.labels)
    places = seen.places
    samples = rows if places is None else places.sample[rows]
    steps: list[dict[str, Any]] = [{} for _ in rows]
    if places is not None:
        steps = [{"step": int(step)} for step in places.step[rows]]
    return [
        {
            "sample": int(sample if index is None else index[sample]),
            **step,
            "true": _name(head, seen.labels[row]),
            "predicted": _name(head, seen.predicted[row]),
            "probability": _probability(mine),
            "true_probability": _probability(its),
        }
        for row, sample, step, mine, its in zip(rows, samples, steps, given, true, strict=True)
    ]


def _log_probabilities(seen: Classified, rows: Array, classes: Array) -> Array:
    """Return the logarithm of the probability of one class for each of some rows."""
    one = Classified(seen.scores[rows], classes[rows], seen.classes, seen.link)
    return one.own_log_probabilities


def _probability(logarithm: float) -> float | None:
    return None if np.isnan(logarithm) else float(np.exp(logarithm))


def _name(head: Head, label: int) -> str:
    return head.classes[label] if label < len(head.classes) else str(int(label))
