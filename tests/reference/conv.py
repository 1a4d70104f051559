"""Convolutions as sums over places, on whole batches in float64; nothing is fast here."""

from __future__ import annotations

from itertools import product

import numpy as np

MODES = {"zeros": "constant", "reflect": "reflect", "edge": "edge"}


def each(value, rank):
    return [value] * rank if isinstance(value, int) else list(value)


def padding(fields, sizes, kernel, stride, dilation):
    """(before, after) of every axis."""
    given = fields.get("padding", "valid")
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    if given == "valid":
        return [(0, 0) for _ in sizes]
    if given == "full":
        return [(s - 1, s - 1) for s in spans]
    if given == "causal":
        return [(s - 1, 0) for s in spans]
    if given == "same":
        found = []
        for size, step, span in zip(sizes, stride, spans, strict=True):
            wanted = -(-size // step)
            total = max(0, (wanted - 1) * step + span - size)
            found.append((total // 2, total - total // 2))
        return found
    ends = each(given, len(sizes))
    if len(sizes) == 1 and len(ends) == 2:
        return [tuple(ends)]  # of a single axis, two numbers are its two ends
    return [(p, p) if isinstance(p, int) else tuple(p) for p in ends]


def setting(fields, shape):
    """Kernel, stride, dilation and padding of every axis."""
    rank = len(shape) - 1
    kernel, stride, dilation = (
        each(fields.get(key, 1), rank) for key in ("kernel_size", "stride", "dilation")
    )
    return kernel, stride, dilation, padding(fields, shape[:-1], kernel, stride, dilation)


def out_shape(fields, shape, filters):
    kernel, stride, dilation, pads = setting(fields, shape)
    sizes = [
        (size + sum(pad) - d * (k - 1) - 1) // s + 1
        for size, k, s, d, pad in zip(shape, kernel, stride, dilation, pads, strict=False)
    ]
    return (*sizes, filters)


def conv(x, w, b, fields):
    """x (N, ..., C), w (k..., C / groups, F): every place of the kernel adds a shifted picture."""
    kernel, stride, dilation, pads = setting(fields, x.shape[1:])
    groups = fields.get("groups", 1)
    if fields.get("flip_kernel"):
        w = w[tuple(slice(None, None, -1) for _ in kernel)]
    mode = MODES[fields.get("padding_mode", "zeros")]
    wide = np.pad(x, [(0, 0), *pads, (0, 0)], mode=mode)
    shape = out_shape(fields, x.shape[1:], w.shape[-1])
    y = np.zeros((len(x), *shape))
    inner, outer = x.shape[-1] // groups, w.shape[-1] // groups
    for at in product(*(range(k) for k in kernel)):
        window = [
            slice(a * d, a * d + (n - 1) * s + 1, s)
            for a, d, s, n in zip(at, dilation, stride, shape, strict=False)
        ]
        seen = wide[(slice(None), *window)]
        for g in range(groups):
            some = seen[..., g * inner : (g + 1) * inner]
            y[..., g * outer : (g + 1) * outer] += some @ w[at][:, g * outer : (g + 1) * outer]
    return y if b is None else y + b
