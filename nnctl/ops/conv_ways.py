"""The ways to compute a convolution, and which one is taken: by its shapes alone.

By tiles of outputs (``winograd.py``) where the window is 3 x 3 and channels fill vectors; several
places as one (``conv_pack.py``) where filters fill few lanes; else place by place
(``conv_kernels.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from nnctl.engine.kernel import Kernel
from nnctl.ops import conv_pack, winograd
from nnctl.ops.conv_kernels import (
    conv_bias_gradient,
    conv_forward,
    conv_gradient,
    conv_reduce,
    weight_elements,
)
from nnctl.ops.geometry import Geometry
from nnctl.ops.registry import Call, Site, Temporary
from nnctl.ops.windows import Axis

Names = dict[str, Any]


def forward_calls(
    site: Site, axes: Sequence[Axis], g: Geometry, names: Names, window: Names
) -> list[Call]:
    """The calls for  y = b + x * w;  ``names`` x, y, b, and in ``window`` w if it is not the
    layer's own."""
    if winograd.suits(g, site.lanes):
        u = Temporary("points", winograd.point_elements(g.filters, g.channels, site.lanes))
        numbers: Names = {"u": u, "channels": g.channels, "filters": g.filters}
        spread = Call(winograd.winograd_window, {**window, **numbers})
        return [spread, Call(winograd.winograd_forward, {**names, "u": u, "g": winograd.tiled(g)})]
    pack = conv_pack.forward_pack(axes, g.filters, g.groups, site.lanes)
    if pack == 1:
        return [Call(conv_forward, {**names, **window, "g": g})]
    wide, numbers = _packed(site, axes, g, pack)
    w, b = Temporary("wide", wide), Temporary("wide_b", 2 * site.lanes)
    prepare = {**numbers, **window, "b": names["b"], "wide": w, "wide_b": b}
    run = {**names, "w": w, "b": b, "g": numbers["g"]}
    return [Call(conv_pack.pack_weights, prepare), Call(conv_forward, run)]


def _packed(site: Site, axes: Sequence[Axis], g: Geometry, pack: int) -> tuple[int, dict[str, Any]]:
    """Elements of the packed weights, and what their kernels ask for."""
    wide = conv_pack.packed(axes, g, pack)
    size = weight_elements(wide.filters, wide.kernel * g.channels, 1, site.lanes)
    own = {"filters": g.filters, "window": g.kernel_width, "stride": g.stride_width}
    return size, {"g": wide, **own}


def gradient_calls(
    site: Site, axes: Sequence[Axis], g: Geometry, names: Names, parameter: str
) -> list[Call]:
    """The calls for  d``parameter`` (+)= the sum over samples and places of x * dy."""
    size = weight_elements(g.filters, g.kernel * g.channels // g.groups, g.groups, site.lanes)
    if winograd.suits(g, site.lanes):
        tiled = {**names, "g": winograd.tiled(g)}
        return summed(site, winograd.winograd_gradient, tiled, parameter, size)
    pack = conv_pack.gradient_pack(axes, g.channels, g.filters, g.groups, site.lanes)
    if pack == 1:
        return summed(site, conv_gradient, {**names, "g": g}, parameter, size)
    size, numbers = _packed(site, axes, g, pack)
    wide = Temporary(f"wide_{parameter}", size)
    whole: Names = {"dw": wide, "dw_accumulates": 0}
    last = {"dw": f"d{parameter}", "dw_accumulates": f"d{parameter}_accumulates"}
    calls = summed(site, conv_gradient, {**names, "g": numbers["g"]}, parameter, size, whole)
    return [*calls, Call(conv_pack.unpack_gradient, {**numbers, **last, "dwide": wide})]


def abreast(*chains: Sequence[Call]) -> list[Call]:
    """The calls of several chains: the first of each, then the second of each, and so on.

    What depends on nothing but what came before can then run beside its like, between the same
    barriers.
    """
    return [call for row in zip_longest(*chains) for call in row if call is not None]


def leaf_rows(site: Site) -> int:
    """Samples of a leaf: those of a shard, where shards lie within quarters of the batch."""
    quarter = -(-site.capacity // 4)
    return site.shards.rows if quarter % site.shards.rows == 0 else quarter


def bias_gradient(site: Site, dy: str, places: int, filters: int) -> list[Call]:
    """db (+)= the sum over samples and places of dy (places, filters), if there is a b."""
    if "b" not in site.parameters:
        return []
    numbers = {"dy": dy, "places": places, "filters": filters}
    return summed(site, conv_bias_gradient, numbers, "b", filters)


def summed(
    site: Site, kernel: Kernel, names: Names, parameter: str, size: int, out: Names | None = None
) -> list[Call]:
    """d``parameter`` (+)= the sum of the leaves, of ``size`` numbers, that ``kernel`` makes;
    ``out``: where else it goes."""
    rows = leaf_rows(site)
    parts = Temporary(f"parts_{parameter}", -(-site.capacity // rows) * size)
    shared: Names = {"parts": parts, "part_size": size, "leaf_rows": rows}
    out = out or {"dw": f"d{parameter}", "dw_accumulates": f"d{parameter}_accumulates"}
    return [Call(kernel, {**names, **shared}), Call(conv_reduce, {**shared, **out})]
