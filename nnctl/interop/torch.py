"""PyTorch's names and layouts of parameters, against those of a graph.

A weight is [out, in] or [out, in/groups, k...] there, transposed convolutions are [in, out/groups,
k...]; here their axes are [in, out], [k..., in/groups, out] and [k..., out/groups, in]: in all
three the first two change places and go last; a table of embeddings is the same. Channels come
first there. So a flattened image, and whatever reads it number by number, has another order:
``_order`` follows it through the graph, to where a dense layer mixes it or nothing can put it
right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnctl.graph import Graph, Node

Array = np.ndarray[Any, Any]
NAMES = {
    "w": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "running_mean": "running_mean",
    "running_var": "running_var",
}
IGNORED = ".num_batches_tracked"  # a counter that PyTorch keeps beside running statistics
SHAPING, JOIN, GROUPED = ("flatten", "reshape"), "concat", "group_norm"


@dataclass(frozen=True)
class Wanted:
    """A tensor of the network: ``ours`` in checkpoints (``param/fc.w``), ``theirs`` in the file.

    ``shape`` is what it has in the file; ``order`` says at which place of ours each of their
    numbers along the first axis goes, if not at the same. Without a name in PyTorch ``theirs`` is
    empty.
    """

    layer: str
    ours: str
    theirs: str
    shape: tuple[int, ...]
    weight: bool
    order: Array | None = None
    flipped: bool = False
    same: bool = False

    def converted(self, theirs: Array) -> Array:
        """Return a tensor of the file in our layout."""
        if self.same:
            return np.ascontiguousarray(theirs)
        ours = _weight(theirs) if self.weight else np.moveaxis(theirs, 0, -1)
        if self.flipped:
            ours = np.flip(ours, tuple(range(ours.ndim - 2)))
        if self.order is not None:
            placed = np.empty_like(ours)
            placed[self.order] = ours
            ours = placed
        return np.ascontiguousarray(ours)


def _weight(array: Array) -> Array:
    return array.transpose(*range(2, array.ndim), 1, 0)


class _Unlike(Exception):
    """What a node computes from numbers in PyTorch's order is not what it computes from ours."""


def wanted(graph: Graph) -> tuple[list[Wanted], list[Node]]:
    """Return all parameters and states of a graph, each with its name and shape in PyTorch, and
    the nodes whose like PyTorch cannot compute, because of the order of what they read."""
    orders: dict[str, Array | None] = {}
    by_name = graph.by_name()
    unlike = []
    for node in graph.nodes:
        try:
            orders[node.name] = _order(node, by_name, orders)
        except _Unlike:
            orders[node.name] = None
            unlike.append(node)
    return [found for node in graph.nodes for found in _of_node(graph, node, orders)], unlike


def _of_node(graph: Graph, node: Node, orders: dict[str, Array | None]) -> Iterator[Wanted]:
    """Yield what a node owns or keeps; a tied parameter is its owner's."""
    order = orders[node.inputs[0]] if node.inputs else None
    flipped = bool(node.fields.get("flip_kernel"))
    for role, use in node.params.items():
        parameter = graph.parameters[use.parameter]
        if parameter.node == node.name:
            name = f"param/{parameter.name}"
            yield _entry(node, role, name, parameter.shape, order, flipped)
    for role, name in node.states.items():
        if not graph.states[name].of_samples:
            yield _entry(node, role, f"state/{name}", graph.states[name].shape, order, False)


def _entry(
    node: Node,
    role: str,
    ours: str,
    shape: tuple[int, ...],
    order: Array | None,
    flipped: bool,
) -> Wanted:
    theirs = f"{node.layer}.{NAMES[role]}" if role in NAMES else ""
    if node.tokens is not None:  # a table of rows is one there, too
        return Wanted(node.layer, ours, theirs, shape, False, same=True)
    weight = role == "w" and len(shape) > 1
    if weight:
        shape = (shape[-1], shape[-2], *shape[:-2])
    elif len(shape) > 1:
        shape = (shape[-1], *shape[:-1])
    if role == "b" or (weight and len(shape) > 2):
        order = None  # a dense layer's bias counts its outputs, a kernel has places of its own
    return Wanted(node.layer, ours, theirs, shape, weight, order, weight and flipped)


def _order(node: Node, by_name: dict[str, Node], orders: dict[str, Array | None]) -> Array | None:
    """Return where each number of PyTorch's order of a node's output stands in ours; None: there.

    Only what has one axis can differ: it was an image once, and nothing has mixed it since. Raises
    _Unlike.
    """
    read = [orders[name] for name in node.inputs]
    shapes = [by_name[name].shape for name in node.inputs]
    if node.op in SHAPING:
        return _reshaped(shapes[0], read[0], node.shape)
    if all(order is None for order in read) or "w" in node.params:
        return None
    given = [
        np.arange(shape[0]) if order is None else order
        for shape, order in zip(shapes, read, strict=True)
    ]
    if node.op == JOIN:
        starts = np.cumsum([0, *(len(order) for order in given[:-1])])
        return np.concatenate([start + order for start, order in zip(starts, given, strict=True)])
    if node.op == GROUPED or any(not np.array_equal(given[0], order) for order in given):
        raise _Unlike
    return given[0]


def _reshaped(shape: tuple[int, ...], order: Array | None, new: tuple[int, ...]) -> Array | None:
    """Return the order of numbers that get another shape; images have channels first there."""
    given = _channels_first(shape) if order is None else order
    if np.array_equal(given, _channels_first(new)):
        return None
    if len(new) > 1:
        raise _Unlike
    return given


def _channels_first(shape: tuple[int, ...]) -> Array:
    return np.moveaxis(np.arange(np.prod(shape)).reshape(shape), -1, 0).reshape(-1)
