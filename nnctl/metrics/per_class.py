"""Precision, recall, F1 and support of every class, and their plain means.

Recall is the notes' per-class accuracy (Definition 5.3). What a class leaves undefined, such as
the recall of a class that never occurs, is NaN, and the means leave it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnctl.metrics.registry import metric
from nnctl.metrics.views import Classified, Counts, Floats


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall, F1 (K,) float64 with NaN where undefined, and support (K,) int64."""

    precision: Floats
    recall: Floats
    f1: Floats
    support: Counts


def class_scores(view: Classified) -> ClassScores:
    """Return the scores of every class from the confusion counts."""
    right = np.diag(view.confusion).astype(np.float64)
    support = view.confusion.sum(axis=1)
    predicted = view.confusion.sum(axis=0)
    return ClassScores(
        precision=_ratio(right, predicted),
        recall=_ratio(right, support),
        f1=_ratio(2.0 * right, support + predicted),
        support=support,
    )


def per_class(
    view: Classified, names: tuple[str, ...] | None = None
) -> list[dict[str, str | int | float | None]]:
    """Return one row per class, ``{class, precision, recall, f1, support}``; undefined is None."""
    scores = class_scores(view)
    names = names or ()
    return [
        {
            "class": names[k] if k < len(names) else str(k),
            "precision": _defined(scores.precision[k], view.sound),
            "recall": _defined(scores.recall[k], view.sound),
            "f1": _defined(scores.f1[k], view.sound),
            "support": int(scores.support[k]),
        }
        for k in range(view.classes)
    ]


@metric("macro_precision", of=Classified)
def macro_precision(view: Classified) -> float:
    """Mean precision of the classes that were predicted at all."""
    return _mean(class_scores(view).precision)


@metric("macro_recall", of=Classified)
def macro_recall(view: Classified) -> float:
    """Mean recall of the classes that occur; also known as balanced accuracy."""
    return _mean(class_scores(view).recall)


@metric("macro_f1", of=Classified)
def macro_f1(view: Classified) -> float:
    """Mean F1 of the classes that occur or were predicted."""
    return _mean(class_scores(view).f1)


def _ratio(above: Floats, below: Counts) -> Floats:
    """Return ``above / below``, NaN where ``below`` is 0."""
    undefined = np.full(len(above), np.nan)
    return np.asarray(np.divide(above, below, out=undefined, where=below > 0))


def _mean(values: Floats) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def _defined(value: float, sound: bool) -> float | None:
    return float(value) if sound and not np.isnan(value) else None
