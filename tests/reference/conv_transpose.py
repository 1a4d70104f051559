"""Transposed convolutions: every input place adds its kernel to the places it lies on."""

from __future__ import annotations

from itertools import product

import numpy as np

from tests.reference.conv import each


def transposed_sizes(fields, shape):
    """(kernel, stride, dilation, cut from the full result before, size of the output)."""
    rank = len(shape) - 1
    kernel, stride, dilation = (
        each(fields.get(key, 1), rank) for key in ("kernel_size", "stride", "dilation")
    )
    more = each(fields.get("output_padding", 0), rank)
    given = fields.get("padding", "valid")
    cut, outs = [], []
    for axis, n in enumerate(shape[:-1]):
        s, span = stride[axis], dilation[axis] * (kernel[axis] - 1) + 1
        if given == "same":
            total, out = max(span - s, 0), n * s
            before = total // 2
        else:
            ends = (0, 0) if given == "valid" else each(given, rank)[axis]
            before, after = (ends, ends) if isinstance(ends, int) else ends
            out = (n - 1) * s + span - before - after + more[axis]
        cut.append(before)
        outs.append(out)
    return kernel, stride, dilation, cut, outs


def conv_transpose(x, w, b, fields):
    """x (N, ..., C), w (k..., F / groups, C)."""
    groups = fields.get("groups", 1)
    kernel, stride, dilation, cut, outs = transposed_sizes(fields, x.shape[1:])
    filters = w.shape[-2] * groups
    y = np.zeros((len(x), *outs, filters))
    mine = x.shape[-1] // groups
    for place in product(*(range(n) for n in x.shape[1:-1])):
        for at in product(*(range(k) for k in kernel)):
            to = [
                p * s + a * d - c
                for p, s, a, d, c in zip(place, stride, at, dilation, cut, strict=True)
            ]
            if any(not 0 <= t < n for t, n in zip(to, outs, strict=True)):
                continue
            for g in range(groups):
                part = slice(g * mine, (g + 1) * mine)
                add = x[(slice(None), *place, part)] @ w[at][:, part].T
                each_filter = slice(g * w.shape[-2], (g + 1) * w.shape[-2])
                y[(slice(None), *to, each_filter)] += add
    return y if b is None else y + b
