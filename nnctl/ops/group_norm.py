"""Group normalization (Wu & He 2018):  y = gamma (x - mean) / sqrt(var + epsilon) + beta.

Shapes: x (N, ..., C) -> y alike; the channels are in G groups, mean and var (biased) are those of a
group's channels over all places of a sample. gamma, beta (C,). With M numbers a group, xhat = (x -
mean) / sqrt(var + epsilon) and g = gamma dy, sums over the group:

    dx = (g - sum(g) / M - xhat sum(g xhat) / M) / sqrt(var + epsilon)
    dbeta += sum dy,  dgamma += sum dy xhat

Everything comes from sums of the channels, which are worked out again on the way back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod

from nnctl.engine.intrinsics import view
from nnctl.engine.jit import helper, merged
from nnctl.engine.kernel import rows
from nnctl.ops import norm_core as core
from nnctl.ops.layer_norm import trained_slopes
from nnctl.ops.norm_core import (
    channel_moments,
    channel_slopes,
    repeat,
    scaled,
    scaled_back,
    trained_names,
    wide_of,
)
from nnctl.ops.registry import Call, Site, Temporary, register


@helper
def _group_moments(sums, channels, groups, places, epsilon, mean, inverse):
    """Mean and 1 / sqrt(var + epsilon) of the groups, written for each of their channels."""
    count = channels // groups
    numbers = count * places
    for g in range(groups):
        total = 0.0
        for c in range(g * count, (g + 1) * count):
            total += sums[c]
        middle, squares = total / numbers, 0.0
        for c in range(g * count, (g + 1) * count):
            d = sums[c] / places - middle
            squares += sums[channels + c] + places * d * d
        one = 1.0 / math.sqrt(squares / numbers + epsilon)
        for c in range(g * count, (g + 1) * count):
            mean[c] = middle
            inverse[c] = one


@rows("y", scratch=core.tables(10))
def group_forward(
    x, x_width, y, gamma, beta, scale, shift, epsilon, groups, channels, places, scratch, unit
):  # fmt: skip
    """Normalize every group of every sample."""
    wide = wide_of(channels)
    sums, place = view(scratch, 2 * channels, 0.0), scratch + 16 * wide
    mean, inverse = view(place, channels, 0.0), view(place + 8 * wide, channels, 0.0)
    place += 16 * wide
    middle, factor = view(place + 24 * wide, wide, unit), view(place + 32 * wide, wide, unit)
    offset = view(place + 40 * wide, wide, unit)
    for c in range(channels):
        offset[c] = beta[c] if shift else unit - unit
    repeat(offset, channels, wide)
    for i in range(x.shape[0]):
        channel_moments(x[i], x_width, channels, place, sums)
        _group_moments(sums, channels, groups, places, float(epsilon), mean, inverse)
        for c in range(channels):
            middle[c] = mean[c]
            factor[c] = inverse[c] * float(gamma[c]) if scale else inverse[c]
        repeat(middle, channels, wide)
        repeat(factor, channels, wide)
        scaled(x[i], y[i], x_width, wide, middle, factor, offset)


@helper
def _group_slopes(leaf, inverse, gamma, scale, groups, channels, numbers, low, slope):
    """sum(g) / M and sum(g xhat) / M of the groups, written for each of their channels."""
    count = channels // groups
    for g in range(groups):
        total, products = 0.0, 0.0
        for c in range(g * count, (g + 1) * count):
            factor = float(gamma[c]) if scale else 1.0
            total += factor * leaf[c]
            products += factor * leaf[channels + c]
        for c in range(g * count, (g + 1) * count):
            low[c] = total / numbers
            slope[c] = products * inverse[c] / numbers


@merged
def _back(
    x, width, dy, dx, gamma, scale, epsilon, groups, channels, places, wants_dx, wants_sums, sums,
    at, scratch, unit,
):  # fmt: skip
    wide, numbers = wide_of(channels), (channels // groups) * places
    found, mean = view(scratch, 2 * channels, 0.0), view(scratch + 16 * wide, channels, 0.0)
    inverse, low = view(scratch + 24 * wide, wide, 0.0), view(scratch + 32 * wide, wide, 0.0)
    tilt, place = view(scratch + 40 * wide, wide, 0.0), scratch + 48 * wide
    rest = place + 24 * wide
    middle, factor = view(rest, wide, unit), view(rest + 8 * wide, wide, unit)
    slope, offset = view(rest + 16 * wide, wide, unit), view(rest + 24 * wide, wide, unit)
    for i in range(x.shape[0]):
        channel_moments(x[i], width, channels, place, found)
        _group_moments(found, channels, groups, places, float(epsilon), mean, inverse)
        channel_slopes(x[i], dy[i], width, channels, mean, place, found)
        if wants_sums:
            leaf = sums[2 * channels * (at + i) : 2 * channels * (at + i + 1)]
            for c in range(channels):
                leaf[c] = found[c]
                leaf[channels + c] = found[channels + c] * inverse[c]
        if wants_dx:
            _group_slopes(found, inverse, gamma, scale, groups, channels, numbers, low, tilt)
            for c in range(channels):
                middle[c] = mean[c]
                factor[c] = inverse[c] * float(gamma[c]) if scale else inverse[c]
                slope[c] = inverse[c] * inverse[c] * tilt[c]
                offset[c] = inverse[c] * low[c]
            repeat(middle, channels, wide)
            repeat(factor, channels, wide)
            repeat(slope, channels, wide)
            repeat(offset, channels, wide)
            scaled_back(x[i], dy[i], dx[i], width, wide, middle, factor, slope, offset)


@rows("dx sums", scratch=core.tables(13))
def group_backward(
    x, x_width, dy, dx, gamma, scale, epsilon, groups, channels, places, sums, first_row, scratch,
    unit,
):  # fmt: skip
    """dx, and each sample's part of dbeta and dgamma."""
    _back(x, x_width, dy, dx, gamma, scale, epsilon, groups, channels, places, True, True, sums,
          first_row, scratch, unit)  # fmt: skip


@rows("dx", scratch=core.tables(13))
def group_inputs_back(
    x, x_width, dy, dx, gamma, scale, epsilon, groups, channels, places, scratch, unit
):  # fmt: skip
    none = view(scratch, 0, 0.0)
    _back(x, x_width, dy, dx, gamma, scale, epsilon, groups, channels, places, True, False, none, 0,
          scratch, unit)  # fmt: skip


@rows("sums", scratch=core.tables(13))
def group_slopes(
    x, x_width, dy, gamma, scale, epsilon, groups, channels, places, sums, first_row, scratch, unit
):  # fmt: skip
    _back(x, x_width, dy, x, gamma, scale, epsilon, groups, channels, places, False, True, sums,
          first_row, scratch, unit)  # fmt: skip


def _names(site: Site) -> dict[str, str | int | Temporary]:
    channels = site.shape[-1]
    return {**trained_names(site, channels), "places": prod(site.shape[:-1])}


def _forward(site: Site) -> Sequence[Call]:
    return [Call(group_forward, _names(site))]


def _backward(site: Site) -> Sequence[Call]:
    names = _names(site)
    if not site.parameters:
        return [Call(group_inputs_back, names)]
    first = group_backward if site.needs_dx[0] else group_slopes
    return [Call(first, names), Call(trained_slopes, names)]


register("group_norm", _forward, _backward)
