"""Convolution in one, two and three dimensions, and its transpose.

    y[o, f] = b[f] + sum_k sum_c x[o * stride - before + k * dilation, c] * w[k, c, f]

(cross-correlation; what is turned round for the true convolution is where ``w`` is laid out).
The transpose is the way back of a convolution whose input has its output's shape.
"""

from collections.abc import Sequence

from nnctl.ops.conv_kernels import conv_fold, conv_turn, weight_elements
from nnctl.ops.conv_spread import conv_spread
from nnctl.ops.conv_ways import Names, abreast, bias_gradient, forward_calls, gradient_calls
from nnctl.ops.geometry import MODES, ZEROS, Geometry, backward_axes, geometry, reach, spread
from nnctl.ops.registry import Call, Site, Temporary, register
from nnctl.ops.windows import Axis, axes_of


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
        return forward_calls(self.site, self.axes, self.g, {"x": x, "y": y, "b": bias}, {})

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
        window = {"w": self._turned}
        return [turn, *forward_calls(self.site, backward_axes(axes), way, names, window)]

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
        return gradient_calls(self.site, self.axes, self.g, {"x": x, "dy": dy}, parameter)


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
    back = place.back("dy", "dx") if site.needs_dx[0] else []
    bias = bias_gradient(site, "dy", place.g.positions, place.g.filters)
    return abreast(back, place.weights("x", "dy"), bias)


for rank in (1, 2, 3):
    register(f"conv{rank}d", _forward, _backward, layouts={"w": "panels"}, takes_fold=True)
