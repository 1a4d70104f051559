"""Where to draw the boxes of a layered graph: deterministic, small, no library.

The steps are those of Sugiyama, Tagawa and Toda 1981: ranks by the longest path, edges that skip
ranks cut by waypoints, the order within a rank by the mean place of what a box is joined to, and
then places that keep that order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SWEEPS = 8  # of ordering and of placing, down and up in turn; more change little
GAP_X, GAP_Y = 28.0, 44.0
WAYPOINT = 8.0  # width kept free for an edge that passes a rank


@dataclass(frozen=True)
class Placed:
    """Centers of the boxes (x) and tops of the ranks (y), the edges' bends, and the size."""

    x: dict[str, float]
    rank: dict[str, int]
    bends: dict[tuple[str, str], tuple[tuple[float, int], ...]]  # (x, rank) on the way
    width: float
    ranks: int


def place(widths: Mapping[str, float], edges: Sequence[tuple[str, str]]) -> Placed:
    """Place boxes of the given widths; edges are (from, to), the boxes in topological order."""
    rank = _ranks(widths, edges)
    size = dict(widths)
    level = dict(rank)
    chains = {edge: _waypoints(edge, rank, size, level) for edge in dict.fromkeys(edges)}
    links = [link for chain in chains.values() for link in zip(chain, chain[1:], strict=False)]
    rows = _rows(level)
    near = _neighbors(links, level)
    _order(rows, near)
    x = _positions(rows, size, near)
    bends = {edge: tuple((x[p], level[p]) for p in chain[1:-1]) for edge, chain in chains.items()}
    width = max(x[name] + size[name] / 2 for name in size)
    return Placed({name: x[name] for name in widths}, rank, bends, width, len(rows))


def _ranks(widths: Mapping[str, float], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    rank = dict.fromkeys(widths, 0)
    for name in widths:  # topological, so what comes before is final
        rank[name] = max((rank[a] + 1 for a, b in edges if b == name), default=0)
    return rank


def _waypoints(
    edge: tuple[str, str], rank: Mapping[str, int], size: dict[str, float], level: dict[str, int]
) -> list[str]:
    """Return the edge's stations; a waypoint's name has a line feed, which no box's name has."""
    start, end = edge
    chain = [start]
    for between in range(rank[start] + 1, rank[end]):
        point = f"{start}\n{end}\n{between}"
        size[point], level[point] = WAYPOINT, between
        chain.append(point)
    return [*chain, end]


def _rows(level: Mapping[str, int]) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(level.values()) + 1)]
    for name, number in level.items():
        rows[number].append(name)
    return rows


def _neighbors(
    links: Sequence[tuple[str, str]], level: Mapping[str, int]
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {name: [] for name in level}
    below: dict[str, list[str]] = {name: [] for name in level}
    for start, end in links:
        above[end].append(start)
        below[start].append(end)
    return above, below


def _order(rows: list[list[str]], near: tuple[dict[str, list[str]], dict[str, list[str]]]) -> None:
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        joined = near[0] if down else near[1]
        for row in rows if down else rows[::-1]:
            at = {name: i for other in rows for i, name in enumerate(other)}
            key = {name: _mean([at[n] for n in joined[name]], at[name]) for name in row}
            row.sort(key=lambda name, key=key: key[name])  # type: ignore[misc]


def _positions(
    rows: list[list[str]],
    size: Mapping[str, float],
    near: tuple[dict[str, list[str]], dict[str, list[str]]],
) -> dict[str, float]:
    x: dict[str, float] = {}
    for row in rows:
        _spread(row, dict.fromkeys(row, 0.0), size, x)
    for sweep in range(SWEEPS):
        joined = near[sweep % 2]
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wish = {name: _mean([x[n] for n in joined[name]], x[name]) for name in row}
            _spread(row, wish, size, x)
    left = min(x[name] - size[name] / 2 for name in x)
    return {name: value - left for name, value in x.items()}


def _spread(
    row: Sequence[str],
    wish: Mapping[str, float],
    size: Mapping[str, float],
    x: dict[str, float],
) -> None:
    """Put a row's boxes as near to their wishes as order and gaps allow, in the mean."""
    at = float("-inf")
    for before, name in zip([None, *row], row, strict=False):
        room = (size[before] + size[name]) / 2 + GAP_X if before is not None else 0.0
        at = max(wish[name], at + room) if before is not None else wish[name]
        x[name] = at
    shift = _mean([wish[name] - x[name] for name in row], 0.0)
    for name in row:
        x[name] += shift


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
