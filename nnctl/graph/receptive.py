"""Receptive fields: how much of the network's input, along each axis, an output number depends on.

Of every place of a layer's output, the first and the last place of the input that it depends on
are known; those of what reads it follow from the windows that it is read by. What windows read of
the padding is not counted.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from nnctl.graph.graph import INPUT, Graph, Node
from nnctl.spec.shapes import Reach

Sizes = tuple[int, ...]
Span = tuple[int, int]  # of places of the input: the first, and the end
Axis = tuple[Span, ...]  # for each place of an output along an axis
NOTHING: Span = (0, 0)

Origin = tuple[str, Sizes]
"""An input, and how many places of it are counted along each axis; none, if it has no axes."""

Seen = dict[Origin, tuple[Axis, ...]]
"""What a node depends on: of each input, along each of its axes."""


def receptive_fields(graph: Graph) -> dict[str, Sizes]:
    """Return the size of the largest receptive field of each node, along each axis of its input.

    Left out are nodes that depend on several inputs, or on one without axes.
    """
    found = {}
    for name, seen in dependence(graph).items():
        axes = next(iter(seen.values())) if len(seen) == 1 else ()
        if axes:
            found[name] = tuple(max(end - first for first, end in axis) for axis in axes)
    return found


def dependence(graph: Graph) -> dict[str, Seen]:
    """Return the receptive fields themselves, of each place of each node's output."""
    nodes, seen = graph.by_name(), dict[str, Seen]()
    for node in graph.nodes:
        seen[node.name] = _of_input(node, nodes) or _of_node(node, nodes, seen)
    return {name: found for name, found in seen.items() if nodes[name].op != INPUT}


def _of_input(node: Node, nodes: Mapping[str, Node]) -> Seen | None:
    """An input, or the layer that gives an input's numbers other axes."""
    source = node if node.op == INPUT else nodes[node.inputs[0]]
    if node is not source:
        other_axes = len(node.inputs) == 1 and len(node.shape) > 1 and node.shape != source.shape
        if source.op != INPUT or node.reach != () or not other_axes:
            return None
    places = node.shape[:-1]
    axes = tuple(tuple((k, k + 1) for k in range(count)) for count in places)
    return {(source.name, places): axes}


def _of_node(node: Node, nodes: Mapping[str, Node], seen: Mapping[str, Seen]) -> Seen:
    found: Seen = {}
    for k, name in enumerate(node.inputs):
        reach = node.reaches[k] if node.reaches else node.reach
        if reach and all(one.end <= one.first for one in reach):
            continue
        for origin, axes in seen[name].items():
            through = _read(axes, node, nodes[name], reach)
            if origin in found:
                pairs = zip(found[origin], through, strict=True)
                through = tuple(_beside(a, b) for a, b in pairs)
            found[origin] = through
    return found


def _read(
    axes: Sequence[Axis], node: Node, source: Node, reach: tuple[Reach, ...] | None
) -> tuple[Axis, ...]:
    """What a node depends on by reading a source whose outputs depend on ``axes``."""
    known = tuple(map(len, axes)) == source.shape[:-1]  # else numbers have been put in other axes
    if reach == () and (known or node.elementwise):
        return tuple(axes)
    if not reach or not known:
        return tuple((_joined(axis),) for axis in axes)
    rows = zip(axes, reach, node.shape, strict=False)
    return tuple(_through(axis, reach, count) for axis, reach, count in rows)


def _through(axis: Axis, reach: Reach, count: int) -> Axis:
    """What reads an axis with windows depends on: what the ends of each window do, if spans and
    windows go one way, so that what lies between reaches no further; else all of each window."""
    known = [k for k, span in enumerate(axis) if span != NOTHING]  # the others see none of it
    one_way = _go_one_way(axis[k] for k in known)
    found = []
    for o in range(count):
        first, end = reach.places(o, len(axis))
        inside = bisect_left(known, first), bisect_left(known, end)
        if first >= end or inside[0] == inside[1]:
            found.append(NOTHING)
        elif one_way:
            found.append((axis[known[inside[0]]][0], axis[known[inside[1] - 1]][1]))
        else:
            found.append(_joined(axis[first:end]))
    return tuple(found)


def _go_one_way(spans: Iterable[Span]) -> bool:
    return all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(spans))


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
