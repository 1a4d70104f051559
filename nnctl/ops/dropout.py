"""Inverted dropout (Srivastava et al. 2014): y = x / (1 - rate) where kept, 0 where dropped.

The mask is a function of (seed, layer, step, sample in the batch, unit), so the backward pass makes
it again instead of storing it. At evaluation the layer is the identity.
"""

import numpy as np

from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows
from nnctl.engine.philox import philox
from nnctl.ops.registry import register

U32 = np.uint32
# 16 counters side by side give 64 numbers: the loop over them becomes vectors
GROUP = 16


@inline
def masked(source, target, width, rate, step, seed, stream, first_row, unit):
    """target = source / (1 - rate) where the unit's random number is at least ``rate``, else 0."""
    threshold = U32(min(np.float64(rate) * 4294967296.0, 4294967295.0))
    scale = unit / (unit - rate)
    zero = unit * 0
    for i in range(source.shape[0]):
        row = first_row + i
        for group in range(0, width, 4 * GROUP):
            for lane in range(GROUP):
                block = U32((group >> 2) + lane)
                words = philox(block, U32(row), U32(step), U32(stream), U32(seed), U32(seed >> 32))
                for w in range(4):
                    j = group + w * GROUP + lane
                    if j < width:
                        target[i, j] = source[i, j] * scale if words[w] >= threshold else zero


@rows()
def dropout_forward(x, y, x_width, rate, step, seed, stream, first_row, unit):
    masked(x, y, x_width, rate, step, seed, stream, first_row, unit)


@rows("dx")
def dropout_backward(dy, dx, dx_width, rate, step, seed, stream, first_row, unit):
    masked(dy, dx, dx_width, rate, step, seed, stream, first_row, unit)


register("dropout", dropout_forward, dropout_backward, same_in_evaluation=True)
