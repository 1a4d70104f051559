"""PyTorch's names and layouts of parameters, against those of a graph.

A weight is [out, in] or [out, in/groups, k...] there, transposed convolutions are [in, out/groups,
k...]; here their axes are [in, out], [k..., in/groups, out] and [k..., out/groups, in]: in all
three the first two change places and go last. Channels come first there. So a flattened image, and
whatever reads it number by number, has another order: ``_order`` follows it through the graph.
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
FLATTEN, JOIN = "flatten", "concat"


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

    def converted(self, theirs: Array) -> Array:
        """Return a tensor of the file in our layout."""
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


def wanted(graph: Graph) -> list[Wanted]:
    """Return all parameters and states of a graph, each with its name and shape in PyTorch."""
    orders: dict[str, Array | None] = {}
    by_name = graph.by_name()
    for node in graph.nodes:
        orders[node.name] = _order(node, by_name, orders)
    return [found for node in graph.nodes for found in _of_node(graph, node, orders)]


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

    Only what has one axis can differ: it was an image once, and nothing has mixed it since.
    """
    if not node.inputs or len(node.shape) != 1:
        return None
    shapes = [by_name[name].shape for name in node.inputs]
    if node.op == FLATTEN and len(shapes[0]) > 1:
        places = np.arange(node.shape[0]).reshape(shapes[0])
        return np.moveaxis(places, -1, 0).reshape(-1)
    read = [orders[name] for name in node.inputs]
    if all(order is None for order in read):
        return None
    if node.op == JOIN:
        starts = np.cumsum([0, *(shape[0] for shape in shapes[:-1])])
        return np.concatenate(
            [
                start + (np.arange(shape[0]) if order is None else order)
                for start, shape, order in zip(starts, shapes, read, strict=True)
            ]
        )
    kept_up = all(shape == node.shape for shape in shapes) and "w" not in node.params
    return read[0] if kept_up else None
