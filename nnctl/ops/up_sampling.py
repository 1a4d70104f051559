"""Images made larger by whole factors: each place repeated, or linear between their middles.

Linear, with half-pixel centres: output o lies at (o + 1/2) / size - 1/2 of the input; beyond the
first and the last place the value is theirs (``align_corners=False`` elsewhere).
"""

from __future__ import annotations

from nnctl.ops.bands import COPIES, LINES, banded
from nnctl.ops.registry import Site, register
from nnctl.ops.windows import Axis


def _factors(site: Site) -> tuple[Axis, ...]:
    pairs = zip(site.shapes[0][:-1], site.shape[:-1], strict=True)
    return tuple(Axis(size, out, kernel=out // size) for size, out in pairs)


def _kind(site: Site) -> int:
    return LINES if site.fields.get("interpolation") == "linear" else COPIES


for _count in (1, 2, 3):
    register(f"up_sampling{_count}d", *banded(_factors, _kind))
