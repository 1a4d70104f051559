"""Means of windows, of bins and of the whole input."""

from __future__ import annotations

from nnctl.ops.bands import BINS, MEAN, MEAN_WITH_PADDING, banded
from nnctl.ops.registry import Site, register
from nnctl.ops.windows import Axis, pool_axes, whole


def _bins(site: Site) -> tuple[Axis, ...]:
    pairs = zip(site.shapes[0][:-1], site.shape[:-1], strict=True)
    return tuple(Axis(size, out) for size, out in pairs)


def _mean(site: Site) -> int:
    return MEAN_WITH_PADDING if site.fields.get("count_padding") else MEAN


for _count in (1, 2, 3):
    register(f"avg_pool{_count}d", *banded(pool_axes, _mean))
register("global_avg_pool", *banded(whole, lambda site: MEAN))
register("adaptive_avg_pool", *banded(_bins, lambda site: BINS))
