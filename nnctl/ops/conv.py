"""Convolution in one, two and three dimensions, and its transpose.

    y[o, f] = b[f] + sum_k sum_c x[o * stride - before + k * dilation, c] * w[k, c, f]

(cross-correlation; what is turned round for the true convolution is where ``w`` is laid out).
The transpose is the way back of a convolution whose input has its output's shape.
"""

from collections.abc import Sequence
from typing import Any

from nnctl.engine.kernel import Kernel
from nnctl.ops import winograd
from nnctl.ops.conv_kernels import (
    conv_bias_gradient,
    conv_fold,
    conv_forward,
    conv_gradient,
    conv_reduce,
    conv_turn,
    weight_elements,
)
from nnctl.ops.conv_spread import conv_spread
from nnctl.ops.geometry import MODES, ZEROS, Geometry, backward_axes, geometry, reach, spread
from nnctl.ops.registry import Call, Site, Temporary, register
from nnctl.ops.windows import Axis, axes_of

Names = dict[str, Any]


def leaf_rows(site: Site) -> int:
    """Samples of a leaf: those of a shard, where shards lie within quarters of the batch."""
    quarter = -(-site.capacity // 4)
    return site.shards.rows if quarter % site.shards.rows == 0 else quarter


class Place:
    """A convolution at a site: from ``wide`` (..., channels) to ``narrow`` (..., filters)."""

    def __init__(
        self, site: Site, axes: Sequence[Axis], channels: int, filters: int, groups: int, mode: int
    ) -> None:
        self.site, self.axes, self.mode = site, axes, mode
        self.g = geometry(axes, channels, filters, groups, mode)

    @property
    def _turned(self) -> Temporary:
        g = self.g
        window = g.kernel * g.filters // g.groups
        size = weight_elements(g.channels, window, g.groups, self.site.lanes)
        return Temporary("turned", size)

    def forward(self, x: str, y: str, bias: str) -> list[Call]:
        """y = bias + x * w."""
        return self._forward(self.g, {"x": x, "y": y, "b": bias})

    def _forward(self, g: Geometry, names: Names, window: Names | None = None) -> list[Call]:
        """``window`` names what stands for ``w``, if that is not the layer's own."""
        lanes, window = self.site.lanes, window or {}
        if not winograd.suits(g, lanes):
            return [Call(conv_forward, {**names, **window, "g": g})]
        u = Temporary("points", winograd.point_elements(g.filters, g.channels, lanes))
        numbers = {"u": u, "channels": g.channels, "filters": g.filters}
        names = {**names, "u": u, "g": winograd.tiled(g)}
        return [
            Call(winograd.winograd_window, {**window, **numbers}),
            Call(winograd.winograd_forward, names),
        ]

    def back(self, dy: str, dx: str, bias: str = "zeros") -> list[Call]:
        """dx = bias + what comes back to the input from ``dy``."""
        if self.mode != ZEROS and self.g.staged:
            return self._back_folded(dy, dx)
        return self._back(self.axes, self.g, {"dx": dx}, dy, bias)

    def _back(
        self, axes: Sequence[Axis], g: Geometry, out: Names, dy: str, bias: str
    ) -> list[Call]:
        plain = all(a.stride == 1 for a in axes)
        turn = Call(conv_turn, {"turned": self._turned, "g": g, "flipped": int(plain)})
        names: Names
        if not plain:
            names = {"dy": dy, "turned": self._turned, "b": bias, "g": g, "s": spread(axes)}
            return [turn, Call(conv_spread, names | out)]
        way = geometry(backward_axes(axes), g.filters, g.channels, g.groups)
        names = {"x": dy, "b": bias}
        names |= {key.replace("dx", "y"): value for key, value in out.items()}
        return [turn, *self._forward(way, names, {"w": self._turned})]

    def _back_folded(self, dy: str, dx: str) -> list[Call]:
        """By way of the gradient of the sample with its borders."""
        g, site = self.g, self.site
        bordered = [Axis(reach(a), a.out, a.kernel, a.stride, a.dilation) for a in self.axes]
        held = Temporary("bordered", site.capacity * g.staging)
        inner = geometry(bordered, g.channels, g.filters, g.groups)
        out: Names = {"dx": held, "dx_ld": g.staging}
        fold: Names = {"da": held, "da_ld": g.staging, "dx": dx, "g": g}
        return [*self._back(bordered, inner, out, dy, "zeros"), Call(conv_fold, fold)]

    def weights(self, x: str, dy: str, parameter: str = "w") -> list[Call]:
        """d``parameter`` (+)= the sum over samples and places of x * dy."""
        g = self.g
        window = g.kernel * g.channels // g.groups
        size = weight_elements(g.filters, window, g.groups, self.site.lanes)
        names: Names = {"x": x, "dy": dy, "g": g}
        kernel = conv_gradient
        if winograd.suits(g, self.site.lanes):
            kernel, names["g"] = winograd.winograd_gradient, winograd.tiled(g)
        return summed(self.site, kernel, names, parameter, size)


def bias_gradient(site: Site, dy: str, places: int, filters: int) -> list[Call]:
    """db (+)= the sum over samples and places of dy (places, filters)."""
    numbers = {"dy": dy, "places": places, "filters": filters}
    return summed(site, conv_bias_gradient, numbers, "b", filters)


def summed(site: Site, kernel: Kernel, names: Names, parameter: str, size: int) -> list[Call]:
    """d``parameter`` (+)= the sum of the leaves, of ``size`` numbers, that ``kernel`` makes."""
    rows = leaf_rows(site)
    parts = Temporary(f"parts_{parameter}", -(-site.capacity // rows) * size)
    shared: Names = {"parts": parts, "part_size": size, "leaf_rows": rows}
    reduce = {**shared, "dw": f"d{parameter}"}
    reduce["dw_accumulates"] = f"d{parameter}_accumulates"
    return [Call(kernel, {**names, **shared}), Call(conv_reduce, reduce)]


def _bias(site: Site) -> str:
    return "b" if "b" in site.parameters else "zeros"


def _place(site: Site) -> Place:
    fields, shape = {"stride": 1, **site.fields}, site.shapes[0]
    axes = axes_of(fields, shape, "kernel_size")
    mode = MODES[fields.get("padding_mode", "zeros")]
    groups = int(fields.get("groups", 1))
    return Place(site, axes, shape[-1], site.shape[-1], groups, mode)


def _forward(site: Site) -> list[Call]:
    return _place(site).forward("x", "y", _bias(site))


def _backward(site: Site) -> list[Call]:
    place = _place(site)
    g = place.g
    calls = place.weights("x", "dy")
    if "b" in site.parameters:
        calls += bias_gradient(site, "dy", g.positions, g.filters)
    if site.needs_dx[0]:
        calls += place.back("dy", "dx")
    return calls


for rank in (1, 2, 3):
    register(f"conv{rank}d", _forward, _backward, layouts={"w": "panels"})
