"""Which sequence to say: the likeliest step at a time, or the best of several at once.

Works on any source of scores, a step at a time. Ties go to the lower class, to the earlier beam.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nnctl.metrics import log_softmax

Array = np.ndarray[Any, Any]


class Speaker(Protocol):
    """What says how likely each class is next, for R sequences that are said at once."""

    def step(self, tokens: Array | None) -> Array:
        """Take the classes that were chosen (R,), none before the first step; return the scores
        (R, K) of the next ones."""
        ...

    def reorder(self, parents: Array) -> None:
        """Go on from other sequences: row i from what was row ``parents[i]``."""
        ...


@dataclass(frozen=True)
class Rules:
    """``steps`` at most; ``stop`` ends a sequence, if there is such a class; ``never`` are classes
    that are not said. Of ``beams`` sequences the best is that with the highest sum of logarithms of
    probabilities over its length to the power of ``length_penalty``."""

    steps: int
    stop: int | None = None
    never: tuple[int, ...] = ()
    beams: int = 1
    length_penalty: float = 0.0


@dataclass(frozen=True)
class Said:
    """``tokens`` (N, steps), -1 behind the stop; ``logs`` (N,), the logarithm of the probability of
    each sequence."""

    tokens: Array
    logs: Array


def search(speaker: Speaker, count: int, rules: Rules) -> Said:
    """Say ``count`` sequences; the speaker has ``beams`` rows for each, side by side."""
    beams, rows = rules.beams, np.arange(count)
    tokens = np.full((count, beams, rules.steps), -1, dtype=np.int64)
    logs = np.full((count, beams), -np.inf)
    logs[:, 0] = 0.0  # all beams are one at first
    ended, sizes = np.zeros((count, beams), dtype=bool), np.zeros((count, beams))
    chosen: Array | None = None
    for step in range(rules.steps):
        scores = speaker.step(None if chosen is None else chosen.reshape(-1))
        following = _following(scores, rules).reshape(count, beams, -1)
        total = logs[:, :, None] + np.where(ended[:, :, None], _stay(following), following)
        flat = total.reshape(count, -1)
        best = _largest(flat, beams)
        parent, token = np.divmod(best, following.shape[2])
        logs = np.take_along_axis(flat, best, axis=1)
        ended, sizes = ended[rows[:, None], parent], sizes[rows[:, None], parent]
        tokens = tokens[rows[:, None], parent]
        tokens[:, :, step] = np.where(ended, -1, token)
        sizes += ~ended
        if rules.stop is not None:
            ended = ended | (token == rules.stop)
        if ended.all():
            break
        chosen = np.where(ended, 0, token)
        if beams > 1:
            speaker.reorder((rows[:, None] * beams + parent).reshape(-1))
    winner = np.argmax(logs / np.maximum(sizes, 1.0) ** rules.length_penalty, axis=1)
    return Said(tokens[rows, winner], logs[rows, winner])


def _following(scores: Array, rules: Rules) -> Array:
    """Logarithms of the probabilities of the classes that may be said."""
    allowed = np.asarray(scores, dtype=np.float64).copy()
    allowed[:, list(rules.never)] = -np.inf
    return np.asarray(log_softmax(allowed))


def _stay(following: Array) -> Array:
    """What has ended goes on in one way only."""
    kept = np.full_like(following, -np.inf)
    kept[:, :, 0] = 0.0
    return kept


def _largest(values: Array, count: int) -> Array:
    """The places of the largest numbers of each row, in order; in a tie the first."""
    if count == 1:
        return np.asarray(np.argmax(values, axis=1))[:, None]
    return np.asarray(np.argsort(-values, axis=1, kind="stable")[:, :count])
