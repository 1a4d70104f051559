"""Layer normalization (Ba et al. 2016):  y = gamma (x - mean) / sqrt(var + epsilon) + beta.

Shapes: x (N, R, L) -> y alike; mean and var (biased) are those of a row of L numbers: the last axis
at R places, or the whole sample (R = 1). gamma, beta (L,). With xhat = (x - mean) / sqrt(var +
epsilon) and g = gamma dy, means over the row:

    dx = (g - mean(g) - xhat mean(g xhat)) / sqrt(var + epsilon)
    dbeta += sum dy,  dgamma += sum dy xhat

Mean and variance are worked out again on the way back: they cost less than a trip to memory. Sums
are in double precision; those over samples are four quarters of the batch, each in order, then
(q0 + q1) + (q2 + q3).
"""

from __future__ import annotations

from collections.abc import Sequence

from nnctl.engine.intrinsics import view
from nnctl.engine.jit import merged
from nnctl.engine.kernel import rows, tiles
from nnctl.ops.norm_core import add_or_write, by_channels, quarter_sums, trained_names
from nnctl.ops.norm_row import LANES, inverse_of, slopes_of, sum_of
from nnctl.ops.registry import Call, Site, register


@rows("y", scratch=lambda sizes: 2 * LANES)
def layer_forward(x, x_width, y, gamma, beta, scale, shift, epsilon, length, scratch, unit):
    """Normalize every row of every sample."""
    for i in range(x.shape[0]):
        for start in range(0, x_width, length):
            row, out = x[i, start : start + length], y[i, start : start + length]
            wide = sum_of(row, scratch) / length
            inverse = type(unit)(inverse_of(row, wide, float(epsilon), scratch))
            mean = type(unit)(wide)
            for j in range(length):
                out[j] = (row[j] - mean) * inverse
            if scale:
                for j in range(length):
                    out[j] *= gamma[j]
            if shift:
                for j in range(length):
                    out[j] += beta[j]


@merged
def _back(x, width, dy, dx, gamma, scale, epsilon, length, wants_dx, wants_sums, sums, at, place,
          unit):  # fmt: skip
    """dx of every row, where it is wanted, and each sample's part of dbeta and dgamma."""
    for i in range(x.shape[0]):
        leaf = sums[2 * length * (at + i) : 2 * length * (at + i + 1)]
        for j in range(len(leaf)):
            leaf[j] = 0.0
        for start in range(0, width, length):
            row, drow = x[i, start : start + length], dy[i, start : start + length]
            mean = sum_of(row, place) / length
            inverse = inverse_of(row, mean, float(epsilon), place)
            if wants_sums:
                for j in range(length):
                    leaf[j] += float(drow[j])
                    leaf[length + j] += float(drow[j]) * ((float(row[j]) - mean) * inverse)
            if wants_dx:
                low, slope = slopes_of(row, drow, gamma, scale, mean, inverse, place)
                middle, factor = type(unit)(mean), type(unit)(inverse)
                offset, tilt = type(unit)(inverse * low), type(unit)(inverse * inverse * slope)
                out = dx[i, start : start + length]
                for j in range(length):
                    g = drow[j] * gamma[j] if scale else drow[j]
                    out[j] = factor * g - offset - tilt * (row[j] - middle)


@rows("dx sums", scratch=lambda sizes: 4 * LANES)
def layer_backward(
    x, x_width, dy, dx, gamma, scale, epsilon, length, sums, first_row, scratch, unit
):  # fmt: skip
    _back(x, x_width, dy, dx, gamma, scale, epsilon, length, True, True, sums, first_row, scratch,
          unit)  # fmt: skip


@rows("dx", scratch=lambda sizes: 4 * LANES)
def layer_inputs_back(x, x_width, dy, dx, gamma, scale, epsilon, length, scratch, unit):
    none = view(scratch, 0, 0.0)
    _back(x, x_width, dy, dx, gamma, scale, epsilon, length, True, False, none, 0, scratch, unit)


@rows("sums", scratch=lambda sizes: 4 * LANES)
def layer_slopes(x, x_width, dy, gamma, scale, epsilon, length, sums, first_row, scratch, unit):
    _back(x, x_width, dy, x, gamma, scale, epsilon, length, False, True, sums, first_row, scratch,
          unit)  # fmt: skip


@tiles("dgamma dbeta", split=by_channels, whole="sums", scratch=lambda s: 12 * 2 * s.lanes)
def trained_slopes(
    sums, dgamma, dgamma_accumulates, dbeta, dbeta_accumulates, scale, shift, channels, capacity,
    live, first_column, last_column, scratch, unit,
):  # fmt: skip
    """dbeta and dgamma of a block of channels, of what every sample has of them."""
    count, stride = last_column - first_column, 2 * channels
    leaves = view(sums, live * stride, 0.0)
    found = view(scratch, count, 0.0)
    place = scratch + 8 * count
    if shift:
        quarter_sums(leaves, stride, first_column, last_column, capacity, live, place, found)
        target = view(dbeta, channels, unit)[first_column:last_column]
        add_or_write(target, found, dbeta_accumulates)
    if scale:
        first = channels + first_column
        quarter_sums(leaves, stride, first, first + count, capacity, live, place, found)
        target = view(dgamma, channels, unit)[first_column:last_column]
        add_or_write(target, found, dgamma_accumulates)


def _length(site: Site) -> int:
    return site.output if site.fields["axes"] == "all" else site.shape[-1]


def _forward(site: Site) -> Sequence[Call]:
    length = _length(site)
    return [Call(layer_forward, {**trained_names(site, length), "length": length})]


def _backward(site: Site) -> Sequence[Call]:
    length = _length(site)
    names = {**trained_names(site, length), "length": length}
    if not site.parameters:
        return [Call(layer_inputs_back, names)]
    first = layer_backward if site.needs_dx[0] else layer_slopes
    return [Call(first, names), Call(trained_slopes, names)]


register("layer_norm", _forward, _backward)
