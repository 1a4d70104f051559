"""Depthwise convolutions, and separable ones: a depthwise, then a pointwise (Chollet 2017)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from nnctl.ops.conv import Place
from nnctl.ops.conv_ways import Names, abreast, bias_gradient, summed
from nnctl.ops.depthwise_kernels import depthwise_backward, depthwise_forward, depthwise_gradient
from nnctl.ops.geometry import MODES, ZEROS, Geometry, geometry
from nnctl.ops.registry import Call, Site, Temporary, register
from nnctl.ops.windows import Axis, axes_of


def _geometry(site: Site) -> Geometry:
    """The windows of a site whose every channel has ``depth_multiplier`` filters."""
    fields, channels = {"stride": 1, **site.fields}, site.shapes[0][-1]
    axes = axes_of(fields, site.shapes[0], "kernel_size")
    filters = channels * int(fields.get("depth_multiplier", 1))
    mode = MODES[fields.get("padding_mode", "zeros")]
    return geometry(axes, channels, filters, channels, mode)


def _flipped(site: Site) -> int:
    return int(bool(site.fields.get("flip_kernel")))


def _channels_forward(site: Site, y: str, bias: str) -> list[Call]:
    names: Names = {"y": y, "b": bias, "g": _geometry(site), "flipped": _flipped(site)}
    return [Call(depthwise_forward, names)]


def _channels_backward(site: Site, dy: str, w: str) -> list[Call]:
    """The gradient of the parameter ``w``, and dx if it is asked for."""
    g = _geometry(site)
    shared: Names = {"dy": dy, "g": g, "flipped": _flipped(site)}
    weights = summed(site, depthwise_gradient, {"x": "x", **shared}, w, g.kernel * g.filters)
    return abreast(weights, [Call(depthwise_backward, shared)] if site.needs_dx[0] else [])


def _forward(site: Site) -> list[Call]:
    return _channels_forward(site, "y", "b" if "b" in site.parameters else "zeros")


def _backward(site: Site) -> list[Call]:
    g = _geometry(site)
    return abreast(
        _channels_backward(site, "dy", "w"), bias_gradient(site, "dy", g.positions, g.filters)
    )


def _between(site: Site) -> tuple[Place, dict[str, tuple[Temporary, int]]]:
    """The pointwise part, and the arrays between the two: their elements and those of a sample."""
    g = _geometry(site)
    row = g.positions * g.filters
    held = {name: (Temporary(name, site.capacity * row), row) for name in ("channels", "dchannels")}
    axes = [Axis(g.positions, g.positions)]
    return Place(site, axes, g.filters, site.shape[-1], 1, ZEROS), held


def _named(
    calls: Iterable[Call], parameter: str, held: Mapping[str, tuple[Temporary, int]]
) -> list[Call]:
    """The calls with another parameter for ``w``, and temporaries for names of rows."""
    found = []
    for call in calls:
        names: Names = {"w": parameter} if "w" in call.kernel.arguments else {}
        names |= call.bind
        for argument, value in list(names.items()):
            if isinstance(value, str) and value in held:
                names[argument], names[f"{argument}_ld"] = held[value]
        found.append(replace(call, bind=names))
    return found


def _separable_forward(site: Site) -> list[Call]:
    place, held = _between(site)
    first = _channels_forward(site, "channels", "zeros")
    second = place.forward("channels", "y", "b" if "b" in site.parameters else "zeros")
    return [*_named(first, "depthwise_w", held), *_named(second, "pointwise_w", held)]


def _separable_backward(site: Site) -> list[Call]:
    """What lies between the two is computed again: keeping it would cost more than it saves."""
    place, held = _between(site)
    again = _channels_forward(site, "channels", "zeros")
    second = abreast(
        place.back("dy", "dchannels"),
        place.weights("channels", "dy", "pointwise_w"),
        bias_gradient(site, "dy", place.g.positions, site.shape[-1]),
    )
    first = _channels_backward(site, "dchannels", "depthwise_w")
    calls = [*_named(again, "depthwise_w", held), *_named(second, "pointwise_w", held)]
    return [*calls, *_named(first, "depthwise_w", held)]


for rank in (1, 2, 3):
    register(f"depthwise_conv{rank}d", _forward, _backward)
    register(
        f"separable_conv{rank}d",
        _separable_forward,
        _separable_backward,
        layouts={"pointwise_w": "panels"},
    )
