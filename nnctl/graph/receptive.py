"""Receptive fields: how much of the network's input, along each axis, an output number depends on.

Along an axis, output o of a layer depends on ``size`` places of the input from
``first + o * jump`` on. A window of k places at stride s makes that

    size + (k - 1) * jump,  first - before * jump,  jump * s

(Araujo, Norris & Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from nnctl.graph.graph import INPUT, Graph, Node
from nnctl.spec.shapes import Reach, Shape

Sizes = tuple[int, ...]


class _Axis(NamedTuple):
    """What the outputs of a layer depend on, along one axis of the input."""

    limit: int  # places of the input
    places: int  # places of the output
    size: Fraction = Fraction(1)
    jump: Fraction = Fraction(1)
    first: Fraction = Fraction(0)

    def through(self, reach: Reach, places: int) -> _Axis:
        """The same for what reads the layer with windows."""
        size = self.size + (reach.places - 1) * self.jump
        first = self.first - reach.before * self.jump
        return _Axis(self.limit, places, size, self.jump * reach.step, first)

    def everywhere(self) -> _Axis:
        """The same for what reads all of the layer."""
        size = self.size + (self.places - 1) * self.jump
        return _Axis(self.limit, 1, size, Fraction(0), self.first)

    def beside(self, other: _Axis) -> _Axis:
        """The same for what reads two layers, each at its own place."""
        if (self.jump, self.places) != (other.jump, other.places):
            return self.everywhere().beside(other.everywhere())
        first = min(self.first, other.first)
        end = max(self.first + self.size, other.first + other.size)
        return self._replace(size=end - first, first=first)


class _Seen(NamedTuple):
    """What a node depends on: of which input, along each of its axes."""

    origin: str
    axes: tuple[_Axis, ...]


def receptive_fields(graph: Graph) -> dict[str, Sizes]:
    """Return the size of the receptive field of each node that depends on one input with axes.

    Never larger than the input: what a window reads of the padding is not counted.
    """
    nodes, seen = graph.by_name(), dict[str, _Seen]()
    for node in graph.nodes:
        found = _of_input(node, nodes) or _of_node(node, nodes, seen)
        if found is not None:
            seen[node.name] = found
    return {
        name: tuple(min(axis.limit, ceil(axis.size)) for axis in found.axes)
        for name, found in seen.items()
        if nodes[name].op != INPUT
    }


def _of_input(node: Node, nodes: Mapping[str, Node]) -> _Seen | None:
    """An input with axes, or the layer that gives an input's numbers other axes."""
    if node.op != INPUT:
        source = nodes[node.inputs[0]]
        if source.op != INPUT or node.reach != () or node.shape == source.shape:
            return None
    places = node.shape[:-1]
    return _Seen(node.name, tuple(_Axis(n, n) for n in places)) if places else None


def _of_node(node: Node, nodes: Mapping[str, Node], seen: Mapping[str, _Seen]) -> _Seen | None:
    read = [seen.get(name) for name in node.inputs]
    found = [one for one in read if one is not None]
    if not found or len(found) < len(read) or len({one.origin for one in found}) > 1:
        return None
    shapes = [nodes[name].shape for name in node.inputs]
    through = [_read(one.axes, node, shape) for one, shape in zip(found, shapes, strict=True)]
    axes = through[0]
    for other in through[1:]:
        axes = tuple(a.beside(b) for a, b in zip(axes, other, strict=True))
    return _Seen(found[0].origin, axes)


def _read(axes: Sequence[_Axis], node: Node, shape: Shape) -> tuple[_Axis, ...]:
    if node.reach == ():
        return tuple(axes)
    if node.reach is None or tuple(axis.places for axis in axes) != shape[:-1]:
        return tuple(axis.everywhere() for axis in axes)
    pairs = zip(axes, node.reach, node.shape, strict=False)
    return tuple(axis.through(reach, places) for axis, reach, places in pairs)
