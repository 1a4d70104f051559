"""Outputs over steps: the steps that count are the rows of a view, and what whole sequences add.

A step counts where its label is not negative, where its numbers hold no NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.errors import DataError
from nnctl.metrics.log_loss import log_loss
from nnctl.metrics.registry import metric
from nnctl.metrics.views import (
    PORTION,
    Classified,
    Counts,
    Ending,
    Floats,
    Places,
    Regressed,
    View,
    classified,
    view,
)


class Sequences(Classified):
    """Scores of classes beside the labels of all steps that count, sample after sample.

    ``speak`` gives the sequences that a decoder says by itself (N, steps), -1 behind their end;
    ``stop`` is the class that ends them. None: what is predicted at each step is the sequence.
    """

    places: Places
    speak: Callable[[], Counts] | None = None
    stop: int | None = None

    @cached_property
    def spoken(self) -> Counts:
        """What a decoder says of all samples (N, steps)."""
        if self.speak is None:
            raise TypeError("no decoder speaks")
        return self.speak()

    @cached_property
    def said(self) -> Counts:
        """What is said at the steps that count (rows,)."""
        places = self.places
        return self.predicted if self.speak is None else self.spoken[places.sample, places.step]

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
    ends: Counts | None = None,
) -> View:
    """Return the view of the steps that count: ``truth`` (N, steps), or numbers (N, steps, W).

    ``ends`` (N,) are the steps that sequences of numbers are meant to have, if that is learned.
    """
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
        if ends is not None and isinstance(seen, Regressed) and last is None:
            seen = Ending(seen.predictions, seen.truth, ends)
    seen.places = Places(there // steps, there % steps)
    return seen


@metric("length_error", of=Ending)
def length_error(seen: Ending) -> float:
    """Steps between the end that a sequence is given and its true one, the last that counts; the
    mean over the sequences with such a step."""
    last = np.flatnonzero(np.diff(seen.places.sample, append=-1))
    true = seen.places.step[last] + 1
    return float(np.abs(seen.ends[seen.places.sample[last]] - true).mean())


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
    """Sequences that are right at every step that counts, over all with such a step; of a decoder
    what it says by itself."""
    right = seen.said == seen.labels
    return float(np.logical_and.reduceat(right, seen.starts).mean())


@metric("edit_distance", of=Sequences)
def edit_distance(seen: Sequences) -> float:
    """Insertions, deletions and changes from the predicted to the true sequence of the steps that
    count (Levenshtein 1966), over its length; the mean over the sequences. Of a decoder it is from
    what it says by itself, without the stop."""
    widest = int(seen.sizes.max())
    portion = max(1, 64 * PORTION // widest)
    shares = [
        _distances(*_pairs(seen, slice(first, first + portion), widest))
        for first in range(0, len(seen.starts), portion)
    ]
    return float(np.concatenate(shares).mean())


def _pairs(seen: Sequences, which: slice, widest: int) -> tuple[Counts, Counts, Counts, Counts]:
    """Return what was said of some sequences and what is true, with how long each of them is."""
    starts, sizes = seen.starts[which], seen.sizes[which]
    at = np.minimum(starts[:, None] + np.arange(widest), seen.count - 1)
    true = seen.labels[at]
    if seen.speak is None:
        return seen.predicted[at], sizes, true, sizes
    spoken = seen.spoken[seen.places.sample[starts]]
    stopped = (spoken == seen.stop) | (spoken < 0)
    ends = np.where(stopped.any(axis=1), np.argmax(stopped, axis=1), spoken.shape[1])
    return spoken, ends, true, sizes - (seen.labels[starts + sizes - 1] == seen.stop)


def _distances(said: Counts, ends: Counts, true: Counts, sizes: Counts) -> Floats:
    """Return the distances of some sequences over the true lengths, all at once, row by row of the
    table."""
    place, every = np.arange(true.shape[1] + 1), np.arange(len(true))
    row = np.tile(place, (len(true), 1))
    found = row[every, sizes].astype(np.float64)
    for i in range(said.shape[1]):
        changed = row[:, :-1] + (said[:, i : i + 1] != true)
        best = np.concatenate([row[:, :1] + 1, np.minimum(row[:, 1:] + 1, changed)], axis=1)
        row = np.minimum.accumulate(best - place, axis=1) + place  # from the left, one at a time
        ended = np.flatnonzero(ends == i + 1)
        found[ended] = row[ended, sizes[ended]]
    return found / np.maximum(sizes, 1)
