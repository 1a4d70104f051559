"""Passes: functions from graph to graph that keep its meaning. ``verify`` runs after each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnctl.graph.graph import INPUT, SPLIT, Graph, LossNode, Node
from nnctl.graph.verify import verify


def insert_splits(graph: Graph) -> Graph:
    """Make every fan-out an explicit ``split`` node, so that every output is read once.

    The readers of X read ``X.split`` instead, a loss on X among them; ``outputs`` still name X.
    Inputs of the network need none, because no gradient goes back to them.
    """
    readers = graph.readers()
    losses = {loss.output for loss in graph.losses}
    split = {
        node.name
        for node in graph.nodes
        if node.op != INPUT and len(readers[node.name]) + (node.name in losses) > 1
    }
    nodes: list[Node] = []
    for node in graph.nodes:
        nodes.append(replace(node, inputs=tuple(_after(name, split) for name in node.inputs)))
        if node.name in split:
            nodes.append(_split_node(node))
    return verify(
        replace(
            graph,
            nodes=tuple(nodes),
            losses=tuple(_moved(loss, split) for loss in graph.losses),
        ),
        splits=True,
    )


def _after(name: str, split: set[str]) -> str:
    return f"{name}.{SPLIT}" if name in split else name


def _moved(loss: LossNode, split: set[str]) -> LossNode:
    return replace(loss, output=_after(loss.output, split))


def _split_node(node: Node) -> Node:
    return Node(
        name=_after(node.name, {node.name}),
        op=SPLIT,
        inputs=(node.name,),
        shape=node.shape,
        layer=node.layer,
        path=node.path,
        lengths=node.lengths,
        linear=True,
    )


def sink(graph: Graph) -> Graph:
    """Let an activation that keeps the largest come after the pool that takes it: relu has a
    quarter of the numbers behind a pool 2 x 2, and not a bit is another.

    Only the pool reads it, one node reads the pool, and neither is an output of the network.
    """
    readers, by_name = graph.readers(), graph.by_name()
    outside = {*graph.outputs, *(loss.output for loss in graph.losses)}
    pools: dict[str, Node] = {}  # by the name of the activation before
    for node in (node for node in graph.nodes if node.takes_largest):
        before = by_name[node.inputs[0]]
        alone = len(readers[before.name]) == len(readers[node.name]) == 1
        if before.keeps_largest and alone and outside.isdisjoint({before.name, node.name}):
            pools[before.name] = node
    names = {pool.name: name for name, pool in pools.items()}
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.name in names:
            first = by_name[names[node.name]]
            nodes.append(replace(node, inputs=first.inputs))
            nodes.append(
                replace(first, inputs=(node.name,), shape=node.shape, lengths=node.lengths)
            )
        elif node.name not in pools:
            inputs = tuple(names.get(name, name) for name in node.inputs)
            nodes.append(replace(node, inputs=inputs))
    return verify(replace(graph, nodes=tuple(nodes)))


TABLE = "table"  # at a layer that takes a table: the short name of what is looked up
HELD = 1 << 22  # numbers of a table's products, at most, where a batch alone would not pay for them


def look_up(graph: Graph, samples: int) -> Graph:
    """Let a layer that multiplies rows of a table by its weights multiply the whole table once,
    where the table has fewer rows than a batch of ``samples`` has steps. Outputs keep their bits;
    gradients are summed by row first.

    Only that layer reads the rows, and they are no output of the network.
    """
    tables = {
        name: before
        for name, before in _tables(graph).items()
        if _rows(graph, before) < samples * before.shape[0]
    }
    return _looked_up(graph, tables)


def look_up_all(graph: Graph) -> Graph:
    """Let every layer that can look up products with a table, however short a batch is: for
    networks whose parameters stay as they are while they are run again and again."""
    tables = {
        name: before
        for name, before in _tables(graph).items()
        if _rows(graph, before) * _columns(graph.node(name), graph) <= HELD
    }
    return _looked_up(graph, tables)


def _columns(node: Node, graph: Graph) -> int:
    return graph.parameters[node.params["w"].parameter].shape[1]


def _tables(graph: Graph) -> dict[str, Node]:
    """What looks up rows of a table for a single layer that takes one, by that layer's name."""
    readers, by_name = graph.readers(), graph.by_name()
    outside = {*graph.outputs, *(loss.output for loss in graph.losses)}
    found: dict[str, Node] = {}
    for node in (node for node in graph.nodes if node.takes_table):
        before = by_name[node.inputs[0]]
        alone = len(readers[before.name]) == 1 and before.name not in outside
        if before.looks_up and alone and by_name[before.inputs[0]].op == INPUT:
            found[node.name] = before
    return found


def _looked_up(graph: Graph, tables: Mapping[str, Node]) -> Graph:
    """Let layers take the place of what looks up rows for them."""
    gone = {before.name: name for name, before in tables.items()}
    nodes = [
        _with_table(graph, node, tables[node.name]) if node.name in tables else node
        for node in graph.nodes
        if node.name not in gone
    ]
    parameters = {
        name: replace(one, node=gone.get(one.node, one.node))
        for name, one in graph.parameters.items()
    }
    return verify(replace(graph, nodes=tuple(nodes), parameters=parameters))


def _rows(graph: Graph, node: Node) -> int:
    return graph.parameters[node.params["w"].parameter].shape[0]


def _with_table(graph: Graph, node: Node, before: Node) -> Node:
    sizes = {"vocabulary": _rows(graph, before), "inputs": before.shape[-1]}
    return replace(
        node,
        inputs=(*before.inputs, *node.inputs[1:]),
        params={**node.params, TABLE: before.params["w"]},
        fields={**node.fields, **sizes},
    )


def fuse(graph: Graph) -> Graph:
    """Mark each elementwise node that the node before it can compute in its epilogue.

    That node must be its only input and be read by nothing else: neither by another node nor, as
    an output of the network, from outside. At most one node is fused with another.
    """
    by_name = graph.by_name()
    readers = graph.readers()
    outside = {*graph.outputs, *(loss.output for loss in graph.losses)}

    def host(node: Node) -> str | None:
        if not node.elementwise or len(node.inputs) != 1:
            return None
        before = by_name[node.inputs[0]]
        alone = len(readers[before.name]) == 1 and before.name not in outside
        return before.name if before.epilogue and alone else None

    nodes = tuple(replace(node, fused_with=host(node)) for node in graph.nodes)
    return verify(replace(graph, nodes=nodes))
