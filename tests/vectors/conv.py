"""Convolutions: every rank, window, border, group, and numbers of channels around vectors."""

from __future__ import annotations

from tests.reference.conv import conv, out_shape
from tests.vectors.case import OpCase


def _forward(fields):
    def run(x, params, context):
        return conv(x[0], params["w"], params.get("b"), fields)

    return run


def joined(kernel, fields):
    """Whether several outputs may be computed as one: the engine decides by its vectors' length."""
    dilation = fields.get("dilation", 1)
    across = dilation if isinstance(dilation, int) else dilation[-1]
    return kernel[-1] > 1 and across == 1 and fields.get("groups", 1) == 1


def case(shape, filters, batch=5, bias=True, **fields):
    rank = len(shape) - 1
    kernel = fields.get("kernel_size", 1)
    kernel = (kernel,) * rank if isinstance(kernel, int) else tuple(kernel)
    params = {"w": (*kernel, shape[-1] // fields.get("groups", 1), filters)}
    if bias:
        params["b"] = (filters,)
    return OpCase(
        f"conv{rank}d", (shape,), out_shape(fields, shape, filters), _forward(fields),
        fields=fields, params=params, batch=batch, blocks=joined(kernel, fields), single=3e-5,
        note=f"to {filters}" + ("" if bias else " no bias"),
    )  # fmt: skip


CASES = [
    # one dimension
    case((9, 1), 1, kernel_size=3),
    case((12, 3), 5, kernel_size=4, stride=2, padding="same"),
    case((11, 2), 16, kernel_size=3, padding="causal", dilation=2),
    case((7, 17), 33, kernel_size=1, batch=3),
    case((8, 4), 6, kernel_size=3, groups=2, padding=[2, 1]),
    # two dimensions
    case((5, 6, 1), 1, kernel_size=3, bias=False),
    case((6, 7, 3), 4, kernel_size=3, padding="same"),
    case((6, 6, 16), 16, kernel_size=3, padding="same", batch=9),
    case((5, 5, 16), 32, kernel_size=3, padding="same", batch=2, bias=False),
    case((8, 8, 5), 17, kernel_size=[3, 2], stride=[2, 1], padding="valid"),
    case((7, 9, 2), 3, kernel_size=[5, 3], stride=2, padding="full"),
    case((9, 8, 3), 7, kernel_size=3, dilation=2, padding="same"),
    case((9, 9, 3), 5, kernel_size=3, dilation=2, stride=3, padding=2),
    case((9, 9, 2), 3, kernel_size=3, dilation=3, stride=2, padding="full", batch=2),
    case((6, 6, 4), 6, kernel_size=1, batch=4),
    case((6, 6, 16), 32, kernel_size=1, stride=2, bias=False),
    case((7, 7, 3), 16, kernel_size=3, stride=2, padding=[[0, 1], [1, 0]]),
    case((6, 5, 6), 9, kernel_size=3, groups=3, padding="same"),
    case((5, 5, 4), 40, kernel_size=2, groups=2, stride=2),
    case((6, 6, 2), 3, kernel_size=3, padding="same", padding_mode="reflect"),
    case((5, 6, 3), 4, kernel_size=5, padding="same", padding_mode="edge", stride=2),
    case((6, 6, 2), 5, kernel_size=3, padding="same", flip_kernel=True),
    case((7, 5, 3), 48, kernel_size=[1, 5], padding="same", batch=16),
    case((4, 4, 33), 2, kernel_size=4, batch=17),
    case((10, 3, 2), 3, kernel_size=[2, 3], stride=[4, 3]),
    case((3, 3, 2), 19, kernel_size=5, padding="full", stride=3),
    # two dimensions, by tiles of 2 x 4 outputs
    case((7, 10, 20), 17, kernel_size=3, padding="same", batch=13),
    case((8, 10, 33), 48, kernel_size=3, batch=3),
    case((6, 6, 17), 16, kernel_size=3, padding="full", bias=False, flip_kernel=True),
    case((7, 8, 16), 33, kernel_size=3, padding=[[1, 0], [2, 1]], padding_mode="reflect"),
    case((24, 16, 16), 16, kernel_size=3, padding="same", batch=2),
    # three dimensions
    case((4, 5, 6, 2), 3, kernel_size=3, padding="same", batch=2),
    case((5, 4, 4, 3), 17, kernel_size=[2, 3, 1], stride=[2, 1, 2], padding="full", batch=3),
    case((3, 4, 5, 4), 4, kernel_size=2, dilation=[1, 2, 2], groups=2, batch=2),
]  # fmt: skip
