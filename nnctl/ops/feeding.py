"""Scheduled sampling: in training a decoder is fed some of its own outputs, in place of the right
ones (Bengio et al. 2015), all steps at once (Duckworth et al. 2019).

A first run is fed the right outputs. What it says at a step takes the place of the right one at the
next with a probability that grows from 0, a function of (seed, layer, step, sample, place).
"""

import numpy as np

from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows
from nnctl.engine.philox import philox
from nnctl.ops.choose import likeliest

U32 = np.uint32


@inline
def _is_own(row, place, step, seed, stream, own_share, own_after):
    """Whether a place is fed what the network said itself."""
    share = np.float64(own_share) * min(1.0, step / own_after)
    threshold = U32(min(share * 4294967296.0, 4294967295.0))
    words = philox(U32(place), U32(row), U32(step), U32(stream), U32(seed), U32(seed >> 32))
    return words[0] < threshold


@rows("x")
def feed_own_classes(
    outputs, x, lengths, classes, never, step, seed, stream, own_share, own_after, first_row, unit
):  # fmt: skip
    """x_t = the class of the largest output of step t - 1, where that is fed."""
    for i in range(x.shape[0]):
        for t in range(1, lengths[i]):
            if _is_own(first_row + i, t, step, seed, stream, own_share, own_after):
                x[i, t] = likeliest(outputs[i, (t - 1) * classes : t * classes], never)


@rows("x")
def feed_own_numbers(
    outputs, x, lengths, classes, step, seed, stream, own_share, own_after, first_row
):  # fmt: skip
    """x_t = the outputs of step t - 1, where those are fed."""
    for i in range(x.shape[0]):
        for t in range(1, lengths[i]):
            if _is_own(first_row + i, t, step, seed, stream, own_share, own_after):
                for k in range(classes):
                    x[i, t * classes + k] = outputs[i, (t - 1) * classes + k]
