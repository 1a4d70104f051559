"""Which layers take the layer behind them into their weights, in evaluation."""

from __future__ import annotations

from collections.abc import Container
from math import prod
from typing import TYPE_CHECKING

from nnctl.graph.graph import INPUT, Graph, Node
from nnctl.ops.registry import find
from nnctl.plan.buffers import Buffer

if TYPE_CHECKING:
    from nnctl.plan.lower import Lowering


def folds(graph: Graph, names: Container[str] | None = None) -> dict[str, Node]:
    """Return, by the name of the node that takes it in, each node that is folded into another.

    What stands between the two is read by nothing else, within the network or from outside;
    ``names``: the nodes that run (default: all).
    """
    readers, by_name = graph.readers(), graph.by_name()
    outside = {*graph.outputs, *(loss.output for loss in graph.losses)}
    found = {}
    runs = [n for n in graph.nodes if n.op != INPUT and (names is None or n.name in names)]
    for node in (n for n in runs if find(n.op).fold is not None):
        host = by_name[node.inputs[0]]
        if host.op == INPUT:
            continue
        tied = any(use.transposed for use in host.params.values())
        alone = len(readers[host.name]) == 1 and host.name not in outside
        if find(host.op).takes_fold and alone and not tied:
            found[host.name] = node
    return found


def fold(low: Lowering, host: Node, node: Node) -> dict[str, Buffer]:
    """Lower what makes the weights and biases of two nodes as one; return these."""
    shape = low.graph.parameters[host.params["w"].parameter].shape
    own = low.parameters(host)
    w = low.make.vector(f"{host.name}.folded_w", own["w"].elements)
    b = low.make.vector(f"{host.name}.folded_b", shape[-1] + 2 * low.make.lanes)
    arrays = {**low.parameters(node), "w": own["w"], "b": own.get("b", low.resident.zeros)}
    arrays |= {"folded_w": w, "folded_b": b}
    numbers = {"rows": prod(shape[:-1]), "groups": int(host.fields.get("groups", 1))}
    calls = find(node.op).fold
    for call in calls(low.site(node)) if calls is not None else ():
        low.add(arrays, {**low.fields(node), **numbers}, call, node.name, "fold")
    return {"w": w, "b": b}
