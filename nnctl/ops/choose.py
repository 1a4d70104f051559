"""Which class comes next: the likeliest, or one drawn by its probability; and it is fed back.

Scores are divided by a temperature first; only the ``top_k`` largest may be drawn. The number that
draws is a function of (seed, step, sample), so that nothing else changes what is said.
"""

import numpy as np

from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows
from nnctl.engine.philox import philox
from nnctl.random import Purpose

U32 = np.uint32
SAMPLE = int(Purpose.SAMPLE)


@inline
def likeliest(scores, never):
    """The class of the largest score but ``never``, the lowest of equal ones."""
    best = 1 if never == 0 else 0
    for k in range(len(scores)):
        if k != never and scores[k] > scores[best]:
            best = k
    return best


@inline
def _is_above(scores, j, k):
    """Whether class j comes before class k: a larger score, or an equal one of a lower class."""
    return scores[j] > scores[k] or (scores[j] == scores[k] and j < k)


@inline
def _last_of(scores, never, most):
    """The last of the ``most`` classes that come first, or of all."""
    last = likeliest(scores, never)
    for _ in range(1, most):
        best = -1
        for k in range(len(scores)):
            if (
                k != never
                and _is_above(scores, last, k)
                and (best < 0 or _is_above(scores, k, best))
            ):
                best = k
        last = best if best >= 0 else last
    return last


@inline
def _drawn(scores, never, temperature, top_k, uniform):
    """The class at which the sum of probabilities, in order, passes a number from 0 to 1."""
    peak = np.float64(scores[likeliest(scores, never)])
    least, total = _last_of(scores, never, top_k), 0.0
    for k in range(len(scores)):
        if k != never and (top_k == 0 or not _is_above(scores, least, k)):
            total += np.exp((np.float64(scores[k]) - peak) / temperature)
    sum_, last = 0.0, 0
    for k in range(len(scores)):
        if k != never and (top_k == 0 or not _is_above(scores, least, k)):
            sum_ += np.exp((np.float64(scores[k]) - peak) / temperature)
            last = k
            if sum_ > uniform * total:
                return k
    return last


@rows("")
def choose(x, x_width, said, fed, manner, never, stop, step, seed, first_row):
    """Put the class of step + 1 where the next step reads it.

    ``said`` (steps, N): at first -1, but for what is given. ``manner``: temperature, 0 for the
    likeliest, and top_k, 0 for all.
    """
    temperature, top_k = manner[0, 0], int(manner[0, 1])
    for i in range(x.shape[0]):
        row, scores = first_row + i, x[i, :x_width]
        if said[step + 1, row] < 0:
            if said[step, row] == stop or said[step, row] < 0:
                continue  # it has ended
            if temperature <= 0:
                said[step + 1, row] = likeliest(scores, never)
            else:
                words = philox(U32(row), U32(step), U32(SAMPLE), U32(0), U32(seed), U32(seed >> 32))
                uniform = np.float64(words[0]) / 4294967296.0
                said[step + 1, row] = _drawn(scores, never, temperature, top_k, uniform)
        fed[row, 0] = said[step + 1, row]
