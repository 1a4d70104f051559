"""Transposed convolutions: every input place adds its kernel to the places it lies on."""

from __future__ import annotations

from itertools import product

import numpy as np

from tests.reference.conv import each
from tests.vectors.case import OpCase


def _sizes(fields, shape):
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


def _forward(fields):
    def run(inputs, params, context):
        x, w, b = inputs[0], params["w"], params.get("b")
        groups = fields.get("groups", 1)
        kernel, stride, dilation, cut, outs = _sizes(fields, x.shape[1:])
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

    return run


def case(shape, filters, batch=5, bias=True, **fields):
    rank = len(shape) - 1
    kernel = tuple(each(fields["kernel_size"], rank))
    params = {"w": (*kernel, filters // fields.get("groups", 1), shape[-1])}
    if bias:
        params["b"] = (filters,)
    outs = _sizes(fields, shape)[-1]
    return OpCase(
        f"conv{rank}d_transpose", (shape,), (*outs, filters), _forward(fields),
        fields=fields, params=params, batch=batch, single=3e-5,
        note=f"to {filters}" + ("" if bias else " no bias"),
    )  # fmt: skip


CASES = [
    case((6, 3), 4, kernel_size=3, stride=2),
    case((5, 2), 17, kernel_size=4, stride=2, padding="same"),
    case((4, 3), 2, kernel_size=2, stride=4, padding="same", bias=False),
    case((7, 1), 1, kernel_size=3, padding=[[1, 1]]),
    case((4, 5, 3), 5, kernel_size=3),
    case((4, 4, 16), 16, kernel_size=3, stride=2, padding="same", batch=9),
    case((3, 4, 5), 18, kernel_size=[2, 3], stride=[2, 1], padding="valid", batch=2),
    case((4, 3, 2), 3, kernel_size=3, stride=2, padding=1, output_padding=1),
    case((4, 3, 6), 4, kernel_size=3, stride=3, groups=2, dilation=2, bias=False),
    case((5, 5, 33), 2, kernel_size=1, batch=3),
    case((2, 3, 2, 3), 4, kernel_size=2, stride=2, batch=2),
    case((2, 2, 3, 2), 3, kernel_size=[1, 3, 2], stride=[1, 2, 1], padding="same", batch=3),
]
