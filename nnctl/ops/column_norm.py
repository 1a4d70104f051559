"""Batch normalization of samples of one place, (N, C): blocks of channels, all samples of each.

A task has all that it needs: it sums a block of channels over the samples and applies what comes of
it in one go. Formulas are those of ``batch_norm.py``. Sums are in double precision: four quarters
of the batch, each in order, then (q0 + q1) + (q2 + q3).
"""

from __future__ import annotations

import math

from nnctl.engine.intrinsics import size_of, view
from nnctl.engine.jit import helper
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.ops.dense import panel_split
from nnctl.ops.norm_core import add_or_write, clear_table, combine_quarters


def _split(sizes: Sizes) -> Split:
    return panel_split(sizes, int(sizes["x"]))


@tiles("y mean variance", split=_split, scratch=lambda sizes: 16 * 2 * sizes.lanes)
def column_forward(
    x, x_ld, y, y_ld, mean, variance, gamma, beta, scale, shift, epsilon, capacity, live,
    first_column, last_column, scratch, unit,
):  # fmt: skip
    """Mean and biased variance of a block of channels, and y."""
    size, count, quarter = size_of(unit), last_column - first_column, (capacity + 3) // 4
    base, out = x + size * first_column, y + size * first_column
    sums, middle = view(scratch, 4 * count, 0.0), view(scratch + 32 * count, count, 0.0)
    within = view(scratch + 40 * count, count, 0.0)
    clear_table(sums, 4 * count)
    for n in range(live):
        row = view(base + size * n * x_ld, count, unit)
        total = view(scratch + 8 * (n // quarter) * count, count, 0.0)
        for j in range(count):
            total[j] += row[j]
    combine_quarters(sums, count, middle)
    for j in range(count):
        middle[j] = middle[j] / live
    clear_table(sums, 4 * count)
    for n in range(live):
        row = view(base + size * n * x_ld, count, unit)
        total = view(scratch + 8 * (n // quarter) * count, count, 0.0)
        for j in range(count):
            d = float(row[j]) - middle[j]
            total[j] += d * d
    combine_quarters(sums, count, within)
    held = view(mean + size * first_column, count, unit)
    spread = view(variance + size * first_column, count, unit)
    center, factor = view(scratch, count, unit), view(scratch + 8 * count, count, unit)
    offset = view(scratch + 16 * count, count, unit)
    trained = view(gamma + size * first_column, count, unit)
    shifted = view(beta + size * first_column, count, unit)
    for j in range(count):
        held[j] = middle[j]
        spread[j] = within[j] / live
        inverse = 1.0 / math.sqrt(float(spread[j]) + float(epsilon))
        center[j] = held[j]
        factor[j] = inverse * float(trained[j]) if scale else inverse
        offset[j] = shifted[j] if shift else unit - unit
    for n in range(live):
        row = view(base + size * n * x_ld, count, unit)
        target = view(out + size * n * y_ld, count, unit)
        for j in range(count):
            target[j] = (row[j] - center[j]) * factor[j] + offset[j]


@helper
def _column_slopes(base, x_ld, dbase, dy_ld, count, mean, quarter, live, place, unit):
    """Quarters of sum dy at ``place``, and of sum dy (x - mean) after them."""
    size = size_of(unit)
    for n in range(live):
        row = view(base + size * n * x_ld, count, unit)
        drow = view(dbase + size * n * dy_ld, count, unit)
        total = view(place + 8 * (n // quarter) * count, count, 0.0)
        product = view(place + 8 * (4 + n // quarter) * count, count, 0.0)
        for j in range(count):
            d = float(drow[j])
            total[j] += d
            product[j] += d * (float(row[j]) - float(mean[j]))


@tiles("dx dgamma dbeta", split=_split, scratch=lambda sizes: 20 * 2 * sizes.lanes)
def column_backward(
    x, x_ld, dy, dy_ld, dx, dx_ld, mean, variance, gamma, dgamma, dgamma_accumulates, dbeta,
    dbeta_accumulates, scale, shift, wants_dx, epsilon, capacity, live, first_column, last_column,
    scratch, unit,
):  # fmt: skip
    """dbeta and dgamma of a block of channels, and dx."""
    size, count, quarter = size_of(unit), last_column - first_column, (capacity + 3) // 4
    base, dbase = x + size * first_column, dy + size * first_column
    center = view(mean + size * first_column, count, unit)
    spread = view(variance + size * first_column, count, unit)
    sums, low = view(scratch, 8 * count, 0.0), view(scratch + 64 * count, count, 0.0)
    products = view(scratch + 72 * count, count, 0.0)
    clear_table(sums, 8 * count)
    _column_slopes(base, x_ld, dbase, dy_ld, count, center, quarter, live, scratch, unit)
    combine_quarters(sums, count, low)
    combine_quarters(sums[4 * count :], count, products)
    for j in range(count):
        products[j] /= math.sqrt(float(spread[j]) + float(epsilon))
    if scale:
        target = view(dgamma + size * first_column, count, unit)
        add_or_write(target, products, dgamma_accumulates)
    if shift:
        target = view(dbeta + size * first_column, count, unit)
        add_or_write(target, low, dbeta_accumulates)
    if wants_dx:
        factor, slope = view(scratch, count, unit), view(scratch + 8 * count, count, unit)
        offset, out = view(scratch + 16 * count, count, unit), dx + size * first_column
        trained = view(gamma + size * first_column, count, unit)
        for j in range(count):
            inverse = 1.0 / math.sqrt(float(spread[j]) + float(epsilon))
            part = inverse * float(trained[j]) if scale else inverse
            factor[j] = part
            slope[j] = part * inverse * products[j] / live
            offset[j] = part * low[j] / live
        for n in range(live):
            row = view(base + size * n * x_ld, count, unit)
            drow = view(dbase + size * n * dy_ld, count, unit)
            target = view(out + size * n * dx_ld, count, unit)
            for j in range(count):
                target[j] = factor[j] * drow[j] - slope[j] * (row[j] - center[j]) - offset[j]
