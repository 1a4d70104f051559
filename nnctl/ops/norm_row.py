"""Mean, variance and slopes of a row of numbers that are normalized together, in double precision.

``place`` is room for ``LANES`` numbers of double precision, twice that for slopes.
"""

from __future__ import annotations

import math

from nnctl.engine.intrinsics import view
from nnctl.engine.jit import helper, inline

EPSILON = 1e-5  # of what recurrent cells normalize
LANES = 32  # sums that a row is dealt out to: one chain would wait for every addition


@inline
def _sum_about(values, middle, squares, place):
    """Sum of a row's distances from ``middle``, or of their squares: LANES sums of every LANES-th
    number in order, then their sum in order."""
    sums = view(place, LANES, 0.0)
    for j in range(LANES):
        sums[j] = 0.0
    full = len(values) - len(values) % LANES
    for start in range(0, full, LANES):
        part = values[start : start + LANES]
        for j in range(LANES):  # of a length that the compiler knows
            d = float(part[j]) - middle
            sums[j] += d * d if squares else d
    rest = values[full:]
    for j in range(len(rest)):
        d = float(rest[j]) - middle
        sums[j] += d * d if squares else d
    total = 0.0
    for j in range(min(LANES, len(values))):
        total += sums[j]
    return total


@helper
def sum_of(values, place):
    """Sum of a row."""
    return _sum_about(values, 0.0, False, place)


@helper
def inverse_of(values, mean, epsilon, place):
    """1 / sqrt(var + epsilon) of a row."""
    return 1.0 / math.sqrt(_sum_about(values, mean, True, place) / len(values) + epsilon)


@helper
def slopes_of(row, drow, gamma, scale, mean, inverse, place):
    """mean(g) and mean(g xhat) of a row."""
    first, second = view(place, LANES, 0.0), view(place + 8 * LANES, LANES, 0.0)
    for j in range(LANES):
        first[j] = 0.0
        second[j] = 0.0
    for start in range(0, len(row), LANES):
        count = min(LANES, len(row) - start)
        part, dpart = row[start : start + count], drow[start : start + count]
        factor = gamma[start : start + count]
        for j in range(count):
            g = float(dpart[j]) * float(factor[j]) if scale else float(dpart[j])
            first[j] += g
            second[j] += g * ((float(part[j]) - mean) * inverse)
    total, products = 0.0, 0.0
    for j in range(min(LANES, len(row))):
        total += first[j]
        products += second[j]
    return total / len(row), products / len(row)


@helper
def normalized(row, gain, target, adds, place):
    """target (+)= gain (row - mean) / sqrt(var + epsilon)."""
    wide = sum_of(row, place) / len(row)
    inverse = inverse_of(row, wide, EPSILON, place)
    for j in range(len(row)):
        y = (float(row[j]) - wide) * inverse * float(gain[j])
        target[j] = float(target[j]) + y if adds else y


@helper
def normalized_back(row, drow, gain, leaf, target, adds, place):
    """target (+)= the gradient of the row, leaf += that of the gain; ``drow`` is the gradient of
    what ``normalized`` gives. The target may be the row."""
    wide = sum_of(row, place) / len(row)
    inverse = inverse_of(row, wide, EPSILON, place)
    low, slope = slopes_of(row, drow, gain, True, wide, inverse, place)
    for j in range(len(row)):
        back, y = float(drow[j]), (float(row[j]) - wide) * inverse
        leaf[j] += back * y
        dx = inverse * (back * float(gain[j]) - low - slope * y)
        target[j] = float(target[j]) + dx if adds else dx
