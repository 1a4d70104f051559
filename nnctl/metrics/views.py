"""Outputs beside the truth, and what several metrics share of them. All float64 and int64.

``link`` says what the outputs are: ``softmax`` or ``sigmoid`` logits (their loss applies the
function), or ``identity``, values that are used as they come.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.errors import DataError

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


PORTION = 8192  # rows worked on at once


class Places(NamedTuple):
    """Of which sample, and of which of its steps, each row of a view is (rows,)."""

    sample: Counts
    step: Counts


class View:
    """Base of the views. ``sound`` is False where no metric has a meaning (nothing, or NaN).

    ``places`` is None where every row is a sample.
    """

    count: int
    sound: bool
    places: Places | None = None


class Classified(View):
    """Scores (N, K) of K classes beside N labels in ``range(K)``; one score column is binary."""

    def __init__(self, scores: Floats, labels: Counts, classes: int, link: str) -> None:
        self.scores = scores
        self.labels = labels
        self.classes = classes
        self.link = link
        self.count = len(labels)
        self.sound = _sound(scores)

    @property
    def binary(self) -> bool:
        """True if one column stands for the second of two classes."""
        return bool(self.scores.shape[1] == 1)

    @cached_property
    def predicted(self) -> Counts:
        """Class of the highest score, the lowest class on a tie (N,).

        One column: class 1 above a probability of one half (a logit of 0), class 0 at it.
        """
        if not self.binary:
            return np.asarray(np.argmax(self.scores, axis=1), dtype=np.int64)
        half = 0.0 if self.link == "sigmoid" else 0.5
        return (self.scores[:, 0] > half).astype(np.int64)

    @cached_property
    def confusion(self) -> Counts:
        """Number of samples by true class (row) and predicted class (column), (K, K)."""
        cells = self.labels * self.classes + self.predicted
        counts = np.bincount(cells, minlength=self.classes**2)
        return counts.reshape(self.classes, self.classes).astype(np.int64)

    @cached_property
    def own_log_probabilities(self) -> Floats:
        """Logarithm of the probability of the true class (N,), in portions that fit a cache."""
        if self.link != "softmax" or self.binary:
            own = np.take_along_axis(self.log_probabilities, self.labels[:, None], axis=1)
            return np.asarray(own[:, 0])
        found = np.empty(self.count)
        for start in range(0, self.count, PORTION):
            portion = slice(start, start + PORTION)
            logs = log_softmax(self.scores[portion])
            found[portion] = logs[np.arange(len(logs)), self.labels[portion]]
        return found

    @cached_property
    def probabilities(self) -> Floats:
        """Probability of every class (N, K); NaN where ``identity`` values are none."""
        return np.exp(self.log_probabilities)

    @cached_property
    def log_probabilities(self) -> Floats:
        """Logarithm of the probability of every class (N, K), exact far from 0 and 1."""
        if self.link == "softmax":
            return log_softmax(self.scores)
        if self.link == "sigmoid" and self.binary:
            # log(1 - sigmoid(s)) = -softplus(s) and log(sigmoid(s)) = -softplus(-s)
            s = self.scores
            return np.asarray(-np.logaddexp(0.0, np.concatenate([s, -s], axis=1)))
        values = np.concatenate([1.0 - self.scores, self.scores], 1) if self.binary else self.scores
        if not _are_probabilities(values):
            return np.full(values.shape, np.nan)
        with np.errstate(divide="ignore"):
            return np.log(values)


class MultiLabel(View):
    """Scores (N, K) of K yes-or-no questions beside their answers (N, K) in [0, 1]."""

    def __init__(self, scores: Floats, answers: Floats) -> None:
        self.scores = scores
        self.answers = answers > 0.5
        self.count = len(answers)
        self.sound = _sound(scores)

    @cached_property
    def predicted(self) -> NDArray[np.bool_]:
        """True where the probability is above one half (N, K)."""
        return self.scores > 0.0


class Regressed(View):
    """Predictions (N, W) beside the true numbers (N, W), both in the target's own units."""

    def __init__(self, predictions: Floats, truth: Floats) -> None:
        self.predictions = predictions
        self.truth = truth
        self.count = len(truth)
        self.sound = _sound(predictions)

    @cached_property
    def errors(self) -> Floats:
        """Prediction minus truth (N, W)."""
        return self.predictions - self.truth


class Forecast(Regressed):
    """Predictions of how a sequence goes on, beside what goes on as it was: ``naive`` (N, W)."""

    def __init__(self, predictions: Floats, truth: Floats, naive: Floats) -> None:
        super().__init__(predictions, truth)
        self.naive = naive


class Ending(Regressed):
    """Numbers over the steps that count (N, W), of sequences that are said as far as they are
    meant: ``ends`` (samples,) are the steps that each sample has then."""

    places: Places

    def __init__(self, predictions: Floats, truth: Floats, ends: Counts) -> None:
        super().__init__(predictions, truth)
        self.ends = ends


def classified(
    outputs: NDArray[Any], truth: NDArray[Any], classes: int, link: str = "softmax"
) -> Classified:
    """Return the view of integer labels. Raises DataError on shapes or labels that do not fit."""
    scores = _rows(outputs)
    labels = np.asarray(truth, dtype=np.int64).reshape(-1)
    if len(scores) != len(labels):
        raise DataError(f"{len(scores)} outputs beside {len(labels)} labels", "give one each")
    columns = scores.shape[1]
    classes = 2 if columns == 1 else max(classes, columns)
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        bad = labels.min() if labels.min() < 0 else labels.max()
        raise DataError(
            f"label {bad} is outside the {classes} classes", f"labels are 0 to {classes - 1}"
        )
    return Classified(scores, labels, classes, link)


def view(
    outputs: NDArray[Any],
    truth: NDArray[Any],
    kind: str,
    link: str,
    classes: int = 0,
    naive: NDArray[Any] | None = None,
) -> View:
    """Return the view that fits a target: ``kind`` is ``class``, ``number`` or ``rows``.

    Rows under a softmax, or of values that stand for ``classes``, count as their largest class;
    under a sigmoid as one yes-or-no question a column; everything else is regression, or a
    forecast where there is something ``naive`` to compare it with.
    """
    if kind == "class":
        return classified(outputs, truth, classes, link)
    outputs, truth = _rows(outputs), _rows(truth)
    if outputs.shape != truth.shape:
        raise DataError(
            f"outputs have shape {outputs.shape}, targets {truth.shape}", "they must be equal"
        )
    if link == "sigmoid":
        return MultiLabel(outputs, truth)
    if link == "softmax" or (kind == "rows" and classes > 1):
        return classified(outputs, np.argmax(truth, axis=1), truth.shape[1], link)
    return Regressed(outputs, truth) if naive is None else Forecast(outputs, truth, _rows(naive))


def log_softmax(scores: Floats) -> Floats:
    """Return ``s - log(sum(exp(s)))`` along the last axis, shifted so that nothing overflows."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _rows(values: NDArray[Any]) -> Floats:
    """Return one float64 row a sample (N, columns)."""
    shape = np.shape(values)
    return np.asarray(values, dtype=np.float64).reshape(shape[0], math.prod(shape[1:]))


def _sound(values: Floats) -> bool:
    return len(values) > 0 and not bool(np.isnan(values).any())


def _are_probabilities(values: Floats) -> bool:
    inside = bool(((values >= 0.0) & (values <= 1.0)).all())
    return inside and bool(np.allclose(values.sum(axis=1), 1.0, atol=1e-6))
