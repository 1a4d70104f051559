"""Outputs over steps: the steps that count are the rows of a view, and what whole sequences add.

A step counts where its label is not negative, where its numbers hold no NaN.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.errors import DataError
from nnctl.metrics.log_loss import log_loss
from nnctl.metrics.registry import metric
from nnctl.metrics.views import PORTION, Classified, Counts, Floats, Places, View, classified, view


class Sequences(Classified):
    """Scores of classes beside the labels of all steps that count, sample after sample."""

    places: Places

    @cached_property
    def starts(self) -> Counts:
        """Where the rows of each sequence begin, of those with a step that counts."""
        return np.flatnonzero(np.diff(self.places.sample, prepend=-1))

    @cached_property
    def sizes(self) -> Counts:
        """How many steps of each of them count."""
        return np.diff(self.starts, append=self.count)


def over_steps(
    outputs: NDArray[Any],
    truth: NDArray[Any],
    kind: str,
    link: str,
    classes: int = 0,
    naive: NDArray[Any] | None = None,
) -> View:
    """Return the view of the steps that count: ``truth`` (N, steps), or numbers (N, steps, W)."""
    samples, steps = truth.shape[:2]
    if np.shape(outputs)[0] != samples or np.size(outputs) % max(samples * steps, 1):
        shapes = f"outputs have shape {np.shape(outputs)}, targets {truth.shape}"
        raise DataError(shapes, "give something for every step")
    rows = np.asarray(outputs).reshape(samples * steps, -1) if samples else np.asarray(outputs)
    flat = truth.reshape(samples * steps, *truth.shape[2:])
    there = np.flatnonzero(flat >= 0 if kind == "class" else ~np.isnan(flat).any(axis=1))
    if kind == "class":
        one = classified(rows[there], flat[there], classes, link)
        seen: View = Sequences(one.scores, one.labels, one.classes, link)
    else:
        last = None if naive is None else naive.reshape(flat.shape)[there]
        seen = view(rows[there], flat[there], kind, link, classes, last)
    seen.places = Places(there // steps, there % steps)
    return seen


@metric("perplexity", of=Sequences)
def perplexity(seen: Sequences) -> float:
    """``exp(mean(-ln p(true class)))``: among how many equally likely classes it would choose."""
    with np.errstate(over="ignore"):
        return float(np.exp(log_loss(seen)))


@metric("bits_per_character", of=Sequences)
def bits_per_character(seen: Sequences) -> float:
    """``mean(-log2 p(true class))``, for steps that are characters."""
    return log_loss(seen) / math.log(2)


@metric("exact_match", of=Sequences)
def exact_match(seen: Sequences) -> float:
    """Sequences that are right at every step that counts, over all with such a step."""
    right = seen.predicted == seen.labels
    return float(np.logical_and.reduceat(right, seen.starts).mean())


@metric("edit_distance", of=Sequences)
def edit_distance(seen: Sequences) -> float:
    """Insertions, deletions and changes from the predicted to the true sequence of the steps that
    count (Levenshtein 1966), over its length; the mean over the sequences."""
    widest = int(seen.sizes.max())
    portion = max(1, 64 * PORTION // widest)
    shares = [
        _distances(seen, slice(first, first + portion), widest)
        for first in range(0, len(seen.starts), portion)
    ]
    return float((np.concatenate(shares) / seen.sizes).mean())


def _distances(seen: Sequences, which: slice, widest: int) -> Floats:
    """Return the distances of some sequences, all of them at once, row by row of the table."""
    starts, sizes = seen.starts[which], seen.sizes[which]
    at = np.minimum(starts[:, None] + np.arange(widest), seen.count - 1)
    predicted, true = seen.predicted[at], seen.labels[at]
    place = np.arange(widest + 1)
    row = np.tile(place, (len(starts), 1))
    found = np.zeros(len(starts))
    for i in range(widest):
        changed = row[:, :-1] + (predicted[:, i : i + 1] != true)
        best = np.concatenate([row[:, :1] + 1, np.minimum(row[:, 1:] + 1, changed)], axis=1)
        row = np.minimum.accumulate(best - place, axis=1) + place  # from the left, one at a time
        ended = np.flatnonzero(sizes == i + 1)
        found[ended] = row[ended, i + 1]
    return found
