"""Transposed convolutions: every rank, stride, cut, group, and numbers of channels."""

from __future__ import annotations

from tests.reference.conv import each
from tests.reference.conv_transpose import conv_transpose, transposed_sizes
from tests.vectors.case import OpCase
from tests.vectors.conv import joined


def _forward(fields):
    def run(x, params, context):
        return conv_transpose(x[0], params["w"], params.get("b"), fields)

    return run


def case(shape, filters, batch=5, bias=True, **fields):
    rank = len(shape) - 1
    kernel = tuple(each(fields["kernel_size"], rank))
    params = {"w": (*kernel, filters // fields.get("groups", 1), shape[-1])}
    if bias:
        params["b"] = (filters,)
    outs = transposed_sizes(fields, shape)[-1]
    return OpCase(
        f"conv{rank}d_transpose", (shape,), (*outs, filters), _forward(fields),
        fields=fields, params=params, batch=batch, blocks=joined(kernel, fields), single=3e-5,
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
