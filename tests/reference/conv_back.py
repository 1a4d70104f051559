"""Gradients of convolutions and pools by the transposes of their sums, in float64."""

from __future__ import annotations

from itertools import product

import numpy as np

from tests.reference import pool
from tests.reference.conv import MODES, setting
from tests.reference.conv_transpose import transposed_sizes


def conv_back(x, w, dy, fields):
    """(dx, dw) of ``tests.reference.conv.conv``."""
    kernel, stride, dilation, pads = setting(fields, x.shape[1:])
    groups = fields.get("groups", 1)
    turn = tuple(slice(None, None, -1 if fields.get("flip_kernel") else 1) for _ in kernel)
    w, dw = w[turn], np.zeros_like(w)
    mode = MODES[fields.get("padding_mode", "zeros")]
    wide = np.pad(x, [(0, 0), *pads, (0, 0)], mode=mode)
    dwide = np.zeros_like(wide)
    for at in product(*(range(k) for k in kernel)):
        window = [
            slice(a * d, a * d + (n - 1) * s + 1, s)
            for a, d, s, n in zip(at, dilation, stride, dy.shape[1:-1], strict=True)
        ]
        cut = (slice(None), *window)
        seen, back = _grouped(wide[cut], groups), _grouped(dy, groups)
        dw[at] = _joined(seen.swapaxes(1, 2) @ back)
        weights = _grouped(w[at], groups)
        dwide[cut] += _joined(back @ weights.swapaxes(1, 2)).reshape(dwide[cut].shape)
    return _folded(dwide, x.shape, pads, mode), dw[turn]


def _grouped(a, groups):
    """(..., C) as (groups, rows, C / groups)."""
    return a.reshape(-1, groups, a.shape[-1] // groups).swapaxes(0, 1)


def _joined(a):
    return a.swapaxes(0, 1).reshape(a.shape[1], -1)


def _folded(dwide, shape, pads, mode):
    """The transpose of ``np.pad``: every place of the padding is added to the one it repeats."""
    for axis, (before, after) in enumerate(pads, start=1):
        size = shape[axis]
        if mode == "constant":
            dwide = np.take(dwide, range(before, before + size), axis)
            continue
        source = np.pad(np.arange(size), (before, after), mode=mode)
        total = np.zeros((*dwide.shape[:axis], size, *dwide.shape[axis + 1 :]))
        np.add.at(total, (*[slice(None)] * axis, source), dwide)
        dwide = total
    return dwide


def transposed_back(x, w, dy, fields):
    """(dx, dw) of ``tests.reference.conv_transpose.conv_transpose``."""
    groups = fields.get("groups", 1)
    kernel, stride, dilation, cut, outs = transposed_sizes(fields, x.shape[1:])
    sizes = [
        max((n - 1) * s + d * (k - 1) + 1, c + o)
        for n, k, s, d, c, o in zip(x.shape[1:-1], kernel, stride, dilation, cut, outs, strict=True)
    ]
    full = np.zeros((len(x), *sizes, dy.shape[-1]))
    full[(slice(None), *(slice(c, c + o) for c, o in zip(cut, outs, strict=True)))] = dy
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for at in product(*(range(k) for k in kernel)):
        window = [
            slice(a * d, a * d + (n - 1) * s + 1, s)
            for a, d, s, n in zip(at, dilation, stride, x.shape[1:-1], strict=True)
        ]
        back, given = _grouped(full[(slice(None), *window)], groups), _grouped(x, groups)
        dw[at] = _joined(back.swapaxes(1, 2) @ given)
        dx += _joined(back @ _grouped(w[at], groups)).reshape(x.shape)
    return dx, dw


def pool_back(x, dy, kind, pool_size, stride=None, padding="valid", count_padding=False):
    """dx of ``tests.reference.pool.pool``; of equal ones the first gets it."""
    axes = x.ndim - 2
    window = pool._each(pool_size, axes)
    stride = window if stride is None else pool._each(stride, axes)
    pads = pool.ends(padding, x.shape[1:-1], window, stride)
    fill = {"max": -np.inf, "min": np.inf, "avg": 0.0}[kind]
    real, _, _ = pool._windows(np.ones_like(x), window, stride, pads, 0.0)
    wide, _, slices = pool._windows(x, window, stride, pads, fill)
    dwide = np.zeros_like(wide)
    for place, cut in slices:
        back = dy[(slice(None), *place)]
        own = np.expand_dims(back, tuple(range(1, axes + 1)))
        if kind == "avg":
            each = np.prod(window) if count_padding else real[cut][0, ..., 0].sum()
            dwide[cut] += own / each
        else:
            seen = wide[cut].reshape(len(x), -1, x.shape[-1])
            first = seen.argmax(1) if kind == "max" else seen.argmin(1)
            chosen = np.arange(seen.shape[1])[:, None] == first[:, None]
            dwide[cut] += np.where(chosen, back[:, None], 0.0).reshape(wide[cut].shape)
    return _folded(dwide, x.shape, pads, "constant")


def adaptive_back(x, dy):
    """dx of ``tests.reference.pool.adaptive``."""
    dx, sizes, outs = np.zeros_like(x), x.shape[1:-1], dy.shape[1:-1]
    for place in np.ndindex(*outs):
        cut = (
            slice(None),
            *(
                slice(o * n // m, -(-(o + 1) * n // m))
                for o, n, m in zip(place, sizes, outs, strict=True)
            ),
        )
        own = np.expand_dims(dy[(slice(None), *place)], tuple(range(1, x.ndim - 1)))
        dx[cut] += own / dx[cut][0, ..., 0].size
    return dx
