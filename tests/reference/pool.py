"""Pools and up-sampling by loops over windows, on batches (N, ..., C) of 1 to 3 axes in float64."""

from __future__ import annotations

import itertools
import math

import numpy as np


def ends(padding, sizes, window, stride):
    """(before, after) of each axis, by what the words promise."""
    found = []
    for axis, (n, k, s) in enumerate(zip(sizes, window, stride, strict=True)):
        if padding == "valid":
            found.append((0, 0))
        elif padding == "full":
            found.append((k - 1, k - 1))
        elif padding == "causal":
            found.append((k - 1, 0))
        elif padding == "same":
            count, total = math.ceil(n / s), 0
            while n + total < (count - 1) * s + k:
                total += 1
            found.append((total // 2, total - total // 2))
        elif isinstance(padding, int):
            found.append((padding, padding))
        else:
            one = padding[axis]
            found.append((one, one) if isinstance(one, int) else tuple(one))
    return found


def _windows(x, window, stride, pads, fill):
    """The padded input, and (output place, slices of its window) for each window."""
    x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    sizes = x.shape[1:-1]
    starts = [range(0, n - k + 1, s) for n, k, s in zip(sizes, window, stride, strict=True)]
    shape = tuple(map(len, starts))
    slices = []
    for place in itertools.product(*map(enumerate, starts)):
        cut = [slice(start, start + k) for (_, start), k in zip(place, window, strict=True)]
        slices.append((tuple(o for o, _ in place), (slice(None), *cut)))
    return x, shape, slices


def _each(value, count):
    return [value] * count if isinstance(value, int) else list(value)


def pool(x, kind, pool_size, stride=None, padding="valid", count_padding=False, pinned=None):
    """``kind``: max, min or avg. ``pinned``: see ``picked``."""
    axes = x.ndim - 2
    window = _each(pool_size, axes)
    stride = window if stride is None else _each(stride, axes)
    pads = ends(padding, x.shape[1:-1], window, stride)
    fill = {"max": -np.inf, "min": np.inf, "avg": 0.0}[kind]
    real, _, _ = _windows(np.ones_like(x), window, stride, pads, 0.0)
    x, shape, slices = _windows(x, window, stride, pads, fill)
    y = np.empty((len(x), *shape, x.shape[-1]))
    inner = tuple(range(1, axes + 1))
    for place, cut in slices:
        at = (slice(None), *place)
        if kind == "avg":
            count = math.prod(window) if count_padding else real[cut].sum(axis=inner)
            y[at] = x[cut].sum(axis=inner) / count
        else:
            y[at] = picked(x[cut], kind, pinned, place)
    return y


def picked(window, kind, pinned, place=()):
    """The largest or smallest of all places; a table ``pinned`` remembers where it was before."""
    if pinned is None:
        return getattr(np, kind)(window, axis=tuple(range(1, window.ndim - 1)))
    flat = window.reshape(len(window), -1, window.shape[-1])
    if place not in pinned:
        pinned[place] = getattr(np, f"arg{kind}")(flat, axis=1)[:, None]
    return np.take_along_axis(flat, pinned[place], axis=1)[:, 0]


def whole(x, kind, pinned=None):
    """Over all places of a sample."""
    if kind != "avg":
        return picked(x, kind, pinned)
    inner = tuple(range(1, x.ndim - 1))
    return np.mean(x, axis=inner)


def adaptive(x, output_size):
    sizes = x.shape[1:-1]
    outs = _each(output_size, len(sizes))
    y = np.empty((len(x), *outs, x.shape[-1]))
    for place in np.ndindex(*outs):
        cut = [
            slice(math.floor(o * n / m), math.ceil((o + 1) * n / m))
            for o, n, m in zip(place, sizes, outs, strict=True)
        ]
        y[(slice(None), *place)] = x[(slice(None), *cut)].mean(axis=tuple(range(1, x.ndim - 1)))
    return y


def _linear(x, axis, factor):
    """One axis at a time; a place of weight 0 is not read, so that Inf stays where it is."""
    n = x.shape[axis]
    pieces = []
    for o in range(n * factor):
        at = min(max((o + 0.5) / factor - 0.5, 0.0), n - 1.0)
        at = round(at) if abs(at - round(at)) < 1e-9 else at
        low = math.floor(at)
        piece = np.take(x, low, axis)
        if at != low:
            piece = piece * (1 - (at - low)) + np.take(x, low + 1, axis) * (at - low)
        pieces.append(piece)
    return np.stack(pieces, axis)


def up_sampling(x, size, interpolation="nearest"):
    for axis, factor in enumerate(_each(size, x.ndim - 2), start=1):
        x = np.repeat(x, factor, axis) if interpolation == "nearest" else _linear(x, axis, factor)
    return x
