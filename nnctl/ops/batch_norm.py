"""Batch normalization (Ioffe & Szegedy 2015):  y = gamma (x - mean) / sqrt(var + epsilon) + beta.

Shapes: x (N, ..., C) -> y alike; gamma, beta, mean, var (C,). In training mean and var (biased) are
those of the batch over samples and places, in evaluation the running ones, which follow as
running = decay running + (1 - decay) batch. With M numbers a channel and
xhat = (x - mean) / sqrt(var + epsilon):

    dbeta += sum dy,  dgamma += sum dy xhat
    dx = gamma / sqrt(var + epsilon) (dy - sum dy / M - xhat sum(dy xhat) / M)

Sums over a sample's places are made beside the samples, in double precision, and those over
samples from these: four quarters of the batch, each in order, then (q0 + q1) + (q2 + q3). The sum
of squared distances from the batch's mean is that of each sample from its own mean, and that of the
samples' means. Samples of one place have kernels of their own, ``column_norm.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from math import prod

from nnctl.engine import control
from nnctl.engine.intrinsics import not_finite, store_int, view
from nnctl.engine.kernel import rows, tiles
from nnctl.ops import norm_core as core
from nnctl.ops.batch import single
from nnctl.ops.column_norm import column_backward, column_forward
from nnctl.ops.norm_core import (
    add_or_write,
    by_channels,
    channel_moments,
    channel_slopes,
    quarter_sums,
    repeat,
    scaled,
    scaled_back,
    trained_names,
    wide_of,
)
from nnctl.ops.norm_fold import norm_fold
from nnctl.ops.registry import Call, Site, Temporary, register


@rows("sums", scratch=core.tables(3))
def batch_leaves(x, x_width, channels, sums, first_row, scratch):
    """Sum and spread of every channel of every sample."""
    for i in range(x.shape[0]):
        at = 2 * channels * (first_row + i)
        leaf = sums[at : at + 2 * channels]
        channel_moments(x[i], x_width, channels, scratch, leaf)


@tiles("mean variance", split=by_channels, whole="sums", scratch=lambda s: 16 * 2 * s.lanes)
def batch_moments(
    sums, channels, places, mean, variance, capacity, live, first_column, last_column, scratch, unit
):  # fmt: skip
    """Mean and biased variance of a block of channels, of what every sample has of them."""
    count, stride = last_column - first_column, 2 * channels
    leaves = view(sums, live * stride, 0.0)
    middle, within = view(scratch, count, 0.0), view(scratch + 8 * count, count, 0.0)
    place = scratch + 16 * count
    quarter_sums(leaves, stride, first_column, last_column, capacity, live, place, middle)
    for j in range(count):
        middle[j] = middle[j] / (live * places)
    for n in range(live):
        for j in range(count):
            at = n * stride + first_column + j
            d = leaves[at] / places - middle[j]
            leaves[at + channels] += places * d * d
    first = channels + first_column
    quarter_sums(leaves, stride, first, first + count, capacity, live, place, within)
    out, out_variance = view(mean, channels, unit), view(variance, channels, unit)
    for j in range(count):
        out[first_column + j] = middle[j]
        out_variance[first_column + j] = within[j] / (live * places)


@rows("y", scratch=core.tables(3))
def batch_apply(
    x, x_width, y, mean, variance, gamma, beta, scale, shift, epsilon, channels, scratch, unit
):  # fmt: skip
    """y = (x - mean) gamma / sqrt(var + epsilon) + beta."""
    wide = wide_of(channels)
    middle, factor = view(scratch, wide, unit), view(scratch + 8 * wide, wide, unit)
    offset = view(scratch + 16 * wide, wide, unit)
    for c in range(channels):
        inverse = 1.0 / math.sqrt(float(variance[c]) + float(epsilon))
        middle[c] = mean[c]
        factor[c] = inverse * float(gamma[c]) if scale else inverse
        offset[c] = beta[c] if shift else unit - unit
    repeat(middle, channels, wide)
    repeat(factor, channels, wide)
    repeat(offset, channels, wide)
    for i in range(x.shape[0]):
        scaled(x[i], y[i], x_width, wide, middle, factor, offset)


@tiles("running_mean running_var", split=single, whole="mean variance")
def batch_keep(mean, variance, running_mean, running_var, running_decay, channels, memory, unit):
    """running = decay running + (1 - decay) batch, in double precision."""
    batch, batch_variance = view(mean, channels, unit), view(variance, channels, unit)
    held, held_variance = view(running_mean, channels, unit), view(running_var, channels, unit)
    decay = float(running_decay)
    for c in range(channels):
        held[c] = decay * float(held[c]) + (1.0 - decay) * float(batch[c])
        wide = decay * float(held_variance[c]) + (1.0 - decay) * float(batch_variance[c])
        held_variance[c] = wide
        if not_finite(held[c]) != 0 or not_finite(held_variance[c]) != 0:
            store_int(memory + control.FAILED, 1)


@rows("sums", scratch=core.tables(3))
def batch_slope_leaves(x, x_width, dy, mean, channels, sums, first_row, scratch):
    """Sums of dy and of dy (x - mean) of every channel of every sample."""
    for i in range(x.shape[0]):
        at = 2 * channels * (first_row + i)
        leaf = sums[at : at + 2 * channels]
        channel_slopes(x[i], dy[i], x_width, channels, mean, scratch, leaf)


@tiles(
    "slopes dgamma dbeta", split=by_channels, whole="sums variance",
    scratch=lambda s: 12 * 2 * s.lanes,
)  # fmt: skip
def batch_slopes(
    sums, slopes, variance, dgamma, dgamma_accumulates, dbeta, dbeta_accumulates, scale, shift,
    epsilon, channels, capacity, live, first_column, last_column, scratch, unit,
):  # fmt: skip
    """slopes[c] = sum dy, slopes[C + c] = sum dy xhat, and with these dbeta and dgamma."""
    count, stride = last_column - first_column, 2 * channels
    leaves, out = view(sums, live * stride, 0.0), view(slopes, stride, 0.0)
    spread = view(variance, channels, unit)
    total = out[first_column:last_column]
    products = out[channels + first_column : channels + last_column]
    quarter_sums(leaves, stride, first_column, last_column, capacity, live, scratch, total)
    first = channels + first_column
    quarter_sums(leaves, stride, first, first + count, capacity, live, scratch, products)
    for j in range(count):
        products[j] /= math.sqrt(float(spread[first_column + j]) + float(epsilon))
    if scale:
        target = view(dgamma, channels, unit)[first_column:last_column]
        add_or_write(target, products, dgamma_accumulates)
    if shift:
        target = view(dbeta, channels, unit)[first_column:last_column]
        add_or_write(target, total, dbeta_accumulates)


@rows("dx", scratch=core.tables(4))
def batch_apply_back(
    x, x_width, dy, dx, mean, variance, gamma, slopes, scale, epsilon, channels, places, live,
    scratch, unit,
):  # fmt: skip
    """dx = gamma / sqrt(var + epsilon) (dy - slope_0 / M - xhat slope_1 / M)."""
    wide, count = wide_of(channels), live * places
    middle, factor = view(scratch, wide, unit), view(scratch + 8 * wide, wide, unit)
    slope, offset = view(scratch + 16 * wide, wide, unit), view(scratch + 24 * wide, wide, unit)
    for c in range(channels):
        inverse = 1.0 / math.sqrt(float(variance[c]) + float(epsilon))
        part = inverse * float(gamma[c]) if scale else inverse
        middle[c] = mean[c]
        factor[c] = part
        slope[c] = part * inverse * slopes[channels + c] / count
        offset[c] = part * slopes[c] / count
    repeat(middle, channels, wide)
    repeat(factor, channels, wide)
    repeat(slope, channels, wide)
    repeat(offset, channels, wide)
    for i in range(x.shape[0]):
        scaled_back(x[i], dy[i], dx[i], x_width, wide, middle, factor, slope, offset)


def _names(site: Site) -> dict[str, str | int | Temporary]:
    channels = site.shape[-1]
    return {
        **trained_names(site, channels),
        "places": prod(site.shape[:-1]),
        "slopes": Temporary("slopes", 2 * channels, "d"),
    }


def _forward(site: Site) -> Sequence[Call]:
    names = _names(site)
    if names["places"] == 1:
        return [Call(column_forward, names)]
    return [Call(batch_leaves, names), Call(batch_moments, names), Call(batch_apply, names)]


def _evaluate(site: Site) -> Sequence[Call]:
    running = {"mean": "running_mean", "variance": "running_var"}
    return [Call(batch_apply, {**_names(site), **running})]


def _fold(site: Site) -> Sequence[Call]:
    running = {"mean": "running_mean", "variance": "running_var"}
    return [Call(norm_fold, {**_names(site), **running})]


def _keep(site: Site) -> Sequence[Call]:
    return [Call(batch_keep, _names(site))]


def _backward(site: Site) -> Sequence[Call]:
    names = _names(site)
    if names["places"] == 1:
        dx: dict[str, str | int] = {} if site.needs_dx[0] else {"dx": "zeros", "dx_ld": 0}
        return [Call(column_backward, {**names, **dx, "wants_dx": int(site.needs_dx[0])})]
    calls = [Call(batch_slope_leaves, names), Call(batch_slopes, names)]
    return [*calls, Call(batch_apply_back, names)] if site.needs_dx[0] else calls


register(
    "batch_norm",
    _forward,
    _backward,
    evaluate=_evaluate,
    keep=_keep,
    fold=_fold,
    saved={"mean": "channels", "variance": "channels"},
)
