"""Depthwise and separable convolutions, against convolutions in as many groups as channels."""

from __future__ import annotations

from tests.reference.conv import conv, each, out_shape
from tests.vectors.case import OpCase


def _grouped(fields, channels):
    return {**fields, "groups": channels}


def _depthwise(fields):
    def run(x, params, context):
        return conv(x[0], params["w"], params.get("b"), _grouped(fields, x[0].shape[-1]))

    return run


def _separable(fields):
    def run(x, params, context):
        channels = conv(x[0], params["depthwise_w"], None, _grouped(fields, x[0].shape[-1]))
        y = channels @ params["pointwise_w"].reshape(channels.shape[-1], -1)
        return y + params["b"] if "b" in params else y

    return run


def depthwise(shape, batch=5, bias=True, **fields):
    rank, wide = len(shape) - 1, shape[-1] * fields.get("depth_multiplier", 1)
    params = {"w": (*each(fields["kernel_size"], rank), 1, wide)}
    if bias:
        params["b"] = (wide,)
    return OpCase(
        f"depthwise_conv{rank}d", (shape,), out_shape(fields, shape, wide), _depthwise(fields),
        fields=fields, params=params, batch=batch, single=3e-5, note="" if bias else "no bias",
    )  # fmt: skip


def separable(shape, filters, batch=5, bias=True, **fields):
    rank, wide = len(shape) - 1, shape[-1] * fields.get("depth_multiplier", 1)
    params = {
        "depthwise_w": (*each(fields["kernel_size"], rank), 1, wide),
        "pointwise_w": (*[1] * rank, wide, filters),
    }
    if bias:
        params["b"] = (filters,)
    return OpCase(
        f"separable_conv{rank}d", (shape,), out_shape(fields, shape, filters), _separable(fields),
        fields=fields, params=params, batch=batch, single=3e-5,
        note=f"to {filters}" + ("" if bias else " no bias"),
    )  # fmt: skip


CASES = [
    depthwise((9, 5), kernel_size=3, padding="causal"),
    depthwise((6, 2), kernel_size=1, depth_multiplier=3),
    depthwise((6, 7, 17), kernel_size=3, padding="same", bias=False),
    depthwise((7, 6, 3), kernel_size=[3, 2], stride=2, depth_multiplier=2, batch=9),
    depthwise((8, 8, 2), kernel_size=3, dilation=2, padding="same", padding_mode="reflect"),
    depthwise((5, 6, 4), kernel_size=3, padding="full", padding_mode="edge", depth_multiplier=5),
    depthwise((6, 6, 3), kernel_size=[2, 3], padding=1, stride=[3, 1], flip_kernel=True, batch=2),
    depthwise((3, 4, 5, 2), kernel_size=2, stride=[1, 2, 1], depth_multiplier=2, batch=3),
    depthwise((4, 7, 5), kernel_size=1, stride=4),  # most places are never read
    depthwise((6, 9, 3), kernel_size=5, stride=[1, 4], depth_multiplier=3, batch=2),
    separable((9, 3), 4, kernel_size=3, padding="same"),
    separable((8, 2), 17, kernel_size=4, stride=2, depth_multiplier=2, batch=9),
    separable((6, 6, 3), 5, kernel_size=3, padding="same", bias=False),
    separable((7, 5, 16), 33, kernel_size=3, stride=2, depth_multiplier=2, batch=4),
    separable((5, 5, 2), 1, kernel_size=2, dilation=2, batch=17),
    separable((3, 4, 5, 2), 5, kernel_size=2, stride=[1, 2, 1], depth_multiplier=2, batch=3),
    separable((4, 4, 3, 3), 17, kernel_size=3, padding="same", flip_kernel=True, bias=False),
]
