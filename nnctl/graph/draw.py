"""Pictures of a graph: dot text for Graphviz, and an SVG that needs nothing but a browser."""

from __future__ import annotations

from xml.sax.saxutils import escape

from nnctl.graph.boxes import Box, boxes
from nnctl.graph.graph import Graph
from nnctl.graph.layout import GAP_Y, place
from nnctl.graph.unrolled import unrolled

BOX_HEIGHT, MARGIN, LETTER, SIZE = 42.0, 16.0, 7.3, 13
STYLE = (
    "text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#1a1a1a;text-anchor:middle}"
    ".type{font-size:11px;fill:#555}"
    "rect{fill:#fff;stroke:#4a6fa5;stroke-width:1.3}"
    ".input rect{fill:#eef3fa}.loss rect{fill:#fbf1e6;stroke:#b5762a}"
    "path{fill:none;stroke:#777;stroke-width:1.2}"
)


def to_dot(graph: Graph, name: str = "network", unroll: int | None = None) -> str:
    """Return the graph in Graphviz's language; with ``unroll`` that many steps one by one."""
    lines = [f"digraph {_quoted(name)} {{", "  rankdir=TB;", "  node [shape=box];"]
    found = boxes(graph) if unroll is None else unrolled(graph, unroll)
    for box in found:
        shape = ', shape="ellipse"' if box.kind != "layer" else ""
        # A line break is \n within the quotes; the two texts are escaped before they are joined.
        label = f'"{_escaped(box.title)}\\n{_escaped(box.detail)}"'
        lines.append(f"  {_quoted(box.name)} [label={label}{shape}];")
    for box in found:
        lines += [f"  {_quoted(source)} -> {_quoted(box.name)};" for source in box.inputs]
    return "\n".join([*lines, "}"])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def to_svg(graph: Graph, name: str = "network", unroll: int | None = None) -> str:
    """Return the graph as one SVG document, top to bottom; ``unroll`` as above."""
    found = boxes(graph) if unroll is None else unrolled(graph, unroll)
    widths = {box.name: _width(box) for box in found}
    edges = [(source, box.name) for box in found for source in box.inputs]
    placed = place(widths, edges)
    width = placed.width + 2 * MARGIN
    height = placed.ranks * (BOX_HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    title = escape(name)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{_attribute(name)}">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f'<rect x="0" y="0" width="{width:.0f}" height="{height:.0f}" style="stroke:none"/>',
    ]
    lines += [_edge(edge, placed.x, placed.rank, placed.bends[edge]) for edge in placed.bends]
    lines += [_drawn(box, widths[box.name], placed.x, placed.rank) for box in found]
    document = "\n".join([*lines, "</svg>"])
    return document.encode("ascii", "xmlcharrefreplace").decode()  # the same in every locale


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})


def _width(box: Box) -> float:
    return max(len(box.title), len(box.detail) * 0.85, 8) * LETTER + 20


def _top(rank: int) -> float:
    return MARGIN + rank * (BOX_HEIGHT + GAP_Y)


def _drawn(box: Box, width: float, x: dict[str, float], rank: dict[str, int]) -> str:
    center, top = x[box.name] + MARGIN, _top(rank[box.name])
    corner = BOX_HEIGHT / 2 if box.kind != "layer" else 5
    return (
        f'<g class="{box.kind}"><rect x="{center - width / 2:.1f}" y="{top:.1f}" '
        f'width="{width:.1f}" height="{BOX_HEIGHT:.0f}" rx="{corner:.0f}"/>'
        f'<text x="{center:.1f}" y="{top + 18:.1f}">{escape(box.title)}</text>'
        f'<text class="type" x="{center:.1f}" y="{top + 33:.1f}">{escape(box.detail)}</text></g>'
    )


def _edge(
    edge: tuple[str, str],
    x: dict[str, float],
    rank: dict[str, int],
    bends: tuple[tuple[float, int], ...],
) -> str:
    """Draw a curve from the foot of one box, straight past the ranks between, to the next's top."""
    start, end = edge
    at = (x[start] + MARGIN, _top(rank[start]) + BOX_HEIGHT)
    parts = [f"M{at[0]:.1f} {at[1]:.1f}"]
    stops = [(bend + MARGIN, _top(level), BOX_HEIGHT) for bend, level in bends]
    for column, top, depth in [*stops, (x[end] + MARGIN, _top(rank[end]), 0.0)]:
        middle = (at[1] + top) / 2
        parts.append(f"C{at[0]:.1f} {middle:.1f} {column:.1f} {middle:.1f} {column:.1f} {top:.1f}")
        at = (column, top + depth)
        if depth:
            parts.append(f"V{at[1]:.1f}")
    tip = (
        f"M{at[0] - 4:.1f} {at[1] - 7:.1f}L{at[0]:.1f} {at[1]:.1f}L{at[0] + 4:.1f} {at[1] - 7:.1f}"
    )
    return f'<path d="{"".join(parts)}{tip}"/>'
