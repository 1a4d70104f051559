"""A normalization by fixed statistics, moved into the weights of the layer before it.

In evaluation batch normalization is y = a x + c for each channel. Of x = input * w + b that makes
y = input * (a w) + (a b + c): the layer before does all the work.
"""

from __future__ import annotations

import math

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.ops.conv_core import clear
from nnctl.ops.dense import columns_of, step_of


def _split(sizes: Sizes) -> Split:
    """A group of channels a task."""
    groups = int(sizes["groups"])
    return Split(1, groups, 1, 1, 1, limit=groups)


@tiles("folded_w folded_b", split=_split, whole="w b mean variance gamma beta")
def norm_fold(
    w, b, folded_w, folded_b, mean, variance, gamma, beta, scale, shift, epsilon, rows, channels,
    groups, first_row, unit,
):  # fmt: skip
    """The weights (panels of ``rows`` rows) and biases of both layers as one."""
    item, lanes = size_of(unit), lanes_of(unit)
    count = channels // groups
    first, base = first_row * count, item * first_row * rows * columns_of(count, lanes)
    middle, spread = view(mean, channels, unit), view(variance, channels, unit)
    trained, moved = view(gamma, channels, unit), view(beta, channels, unit)
    old, new = view(b, channels, unit), view(folded_b, channels, unit)
    for column in range(0, count, 2 * lanes):
        step = step_of(count - column, lanes)
        place = base + item * rows * column
        clear(folded_w + place, rows * step, unit)
        for j in range(min(step, count - column)):
            c = first + column + j
            factor = 1.0 / math.sqrt(float(spread[c]) + float(epsilon))
            factor *= float(trained[c]) if scale else 1.0
            offset = float(moved[c]) if shift else 0.0
            new[c] = (float(old[c]) - float(middle[c])) * factor + offset
            source = view(w + place, rows * step, unit)
            target = view(folded_w + place, rows * step, unit)
            for i in range(j, rows * step, step):
                target[i] = float(source[i]) * factor
