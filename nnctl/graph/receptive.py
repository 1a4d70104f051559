"""Receptive fields: how much of the network's input, along each axis, an output number depends on.

Of every place of a layer's output, the first and the last place of the input that it depends on
are known; those of what reads it follow from the windows that it is read by. What windows read of
the padding is not counted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from nnctl.graph.graph import INPUT, Graph, Node
from nnctl.spec.shapes import Reach

Sizes = tuple[int, ...]
Span = tuple[int, int]  # of places of the input: the first, and the end
Axis = tuple[Span, ...]  # for each place of an output along an axis
NOTHING: Span = (0, 0)


class _Seen(NamedTuple):
    """What a node depends on: of which input, along each of its axes."""

    origin: str
    axes: tuple[Axis, ...]


def receptive_fields(graph: Graph) -> dict[str, Sizes]:
    """Return the size of the largest receptive field of each node, along each axis of its input.

    Left out are nodes that depend on several inputs, or on one without axes.
    """
    return {
        name: tuple(max(end - first for first, end in axis) for axis in axes)
        for name, axes in receptive_spans(graph).items()
    }


def receptive_spans(graph: Graph) -> dict[str, tuple[Axis, ...]]:
    """Return the receptive fields themselves, of each place of each node's output."""
    nodes, seen = graph.by_name(), dict[str, _Seen]()
    for node in graph.nodes:
        found = _of_input(node, nodes) or _of_node(node, nodes, seen)
        if found is not None:
            seen[node.name] = found
    return {name: found.axes for name, found in seen.items() if nodes[name].op != INPUT}


def _of_input(node: Node, nodes: Mapping[str, Node]) -> _Seen | None:
    """An input with axes, or the layer that gives an input's numbers other axes."""
    if node.op != INPUT:
        source = nodes[node.inputs[0]]
        if source.op != INPUT or node.reach != () or node.shape == source.shape:
            return None
    places = node.shape[:-1]
    axes = tuple(tuple((k, k + 1) for k in range(count)) for count in places)
    return _Seen(node.name, axes) if places else None


def _of_node(node: Node, nodes: Mapping[str, Node], seen: Mapping[str, _Seen]) -> _Seen | None:
    read = [seen.get(name) for name in node.inputs]
    found = [one for one in read if one is not None]
    if not found or len(found) < len(read) or len({one.origin for one in found}) > 1:
        return None
    sources = [nodes[name] for name in node.inputs]
    through = [_read(one.axes, node, source) for one, source in zip(found, sources, strict=True)]
    axes = through[0]
    for other in through[1:]:
        axes = tuple(_beside(a, b) for a, b in zip(axes, other, strict=True))
    return _Seen(found[0].origin, axes)


def _read(axes: Sequence[Axis], node: Node, source: Node) -> tuple[Axis, ...]:
    """What a node depends on by reading a source whose outputs depend on ``axes``."""
    if node.reach == ():
        return tuple(axes)
    if node.reach is None or tuple(map(len, axes)) != source.shape[:-1]:
        return tuple((_joined(axis),) for axis in axes)
    rows = zip(axes, node.reach, node.shape, strict=False)
    return tuple(_through(axis, reach, count) for axis, reach, count in rows)


def _through(axis: Axis, reach: Reach, count: int) -> Axis:
    """What reads an axis with windows depends on: what the ends of each window do.

    Spans and windows go one way, so that what lies between reaches no further.
    """
    known = [k for k, span in enumerate(axis) if span != NOTHING]  # the others see none of it
    found = []
    for o in range(count):
        first, end = reach.places(o, len(axis))
        inside = bisect_left(known, first), bisect_left(known, end)
        if first >= end or inside[0] == inside[1]:
            found.append(NOTHING)
        else:
            found.append((axis[known[inside[0]]][0], axis[known[inside[1] - 1]][1]))
    return tuple(found)


def _beside(one: Axis, other: Axis) -> Axis:
    """What reads two outputs depends on: on both, each at its own place."""
    if len(one) != len(other):
        return (_joined([*one, *other]),)
    return tuple(map(_joined, zip(one, other, strict=True)))


def _joined(spans: Iterable[Span]) -> Span:
    known = [span for span in spans if span != NOTHING]
    if not known:
        return NOTHING
    return min(first for first, _ in known), max(end for _, end in known)
