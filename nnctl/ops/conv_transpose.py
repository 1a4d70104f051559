"""Transposed convolutions: the way back through a convolution, as a layer (Zeiler et al. 2010).

Seen from the wide end, it is the convolution whose input is this layer's output: what that one's
backward pass does is forward here, and the other way round. Its weights w (kernel..., filters /
groups, input channels) are that convolution's, place for place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnctl.ops.conv import Place
from nnctl.ops.conv_ways import abreast, bias_gradient
from nnctl.ops.geometry import ZEROS
from nnctl.ops.registry import Call, Site, register
from nnctl.windows import Axis, paddings, per_axis


def transposed_axes(
    fields: Mapping[str, Any], shape: Sequence[int], outputs: Sequence[int]
) -> tuple[Axis, ...]:
    """The windows of the convolution that leads from ``outputs`` (..., F) back to ``shape``."""
    count = len(shape) - 1
    kernel = per_axis(fields["kernel_size"], count)
    stride = per_axis(fields.get("stride", 1), count)
    dilation = per_axis(fields.get("dilation", 1), count)
    pads = paddings(fields.get("padding", "valid"), outputs[:-1], kernel, stride, dilation)
    rows = zip(outputs[:-1], shape[:-1], kernel, stride, dilation, pads, strict=True)
    return tuple(Axis(wide, narrow, *rest, *pad) for wide, narrow, *rest, pad in rows)


def _place(site: Site) -> Place:
    shape = site.shapes[0]
    axes = transposed_axes(site.fields, shape, site.shape)
    return Place(site, axes, site.shape[-1], shape[-1], int(site.fields.get("groups", 1)), ZEROS)


def _forward(site: Site) -> list[Call]:
    return _place(site).back("x", "y", "b" if "b" in site.parameters else "zeros")


def _backward(site: Site) -> list[Call]:
    place = _place(site)
    back = place.forward("dy", "dx", "zeros") if site.needs_dx[0] else []
    bias = bias_gradient(site, "dy", site.output // site.shape[-1], site.shape[-1])
    return abreast(back, place.weights("dy", "x"), bias)


for rank in (1, 2, 3):
    register(f"conv{rank}d_transpose", _forward, _backward, layouts={"w": "panels"})
