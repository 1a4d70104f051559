"""Advice on the layers."""

from __future__ import annotations

from collections.abc import Iterator

from nnctl.graph.graph import Graph, Node
from nnctl.graph.lint import Advice, View


def stacked_linear(view: View) -> Iterator[Advice]:
    """Two weight matrices with nothing but linear maps between them are worth one."""
    by_name = view.graph.by_name()
    for node in view.graph.nodes:
        if not _has_weights(node, view.graph):
            continue
        before = _linear_source(by_name[node.inputs[0]], view.graph)
        if before is None or before.path == node.path or before.fields.get("groups", 1) > 1:
            continue  # a layer's own parts, or fewer weights in groups, are meant
        if before.size >= min(node.size, _input_size(before, by_name)):
            yield Advice(
                before.path,
                f'no activation stands between "{before.layer}" and "{node.layer}": '
                "together they are one linear layer",
                f'give "{before.layer}" an activation, "relu" for example, or remove it',
            )


def _has_weights(node: Node, graph: Graph) -> bool:
    uses = (graph.parameters[use.parameter] for use in node.params.values())
    return any(parameter.kind == "weight" for parameter in uses)


def _linear_source(node: Node, graph: Graph) -> Node | None:
    """Go back along single inputs, past linear nodes, to one that has weights."""
    by_name = graph.by_name()
    while node.linear and len(node.inputs) == 1:
        if _has_weights(node, graph):
            return node
        node = by_name[node.inputs[0]]
    return None


def _input_size(node: Node, by_name: dict[str, Node]) -> int:
    """Count what a node reads: a layer smaller than both its sides is a bottleneck, and meant."""
    return by_name[node.inputs[0]].size


def same_start(view: View) -> Iterator[Advice]:
    """Weights that all start alike get the same gradients, so that a layer's units stay alike."""
    for parameter in view.graph.parameters.values():
        if parameter.kind != "weight" or not parameter.init.constant:
            continue
        owner = view.graph.node(parameter.node)
        if owner.size > 1 and _has_weights_behind(owner, view.graph):
            yield Advice(
                (*owner.path, "init"),
                f'all weights of the hidden layer "{owner.layer}" start alike, '
                "so its units would all learn the same",
                "leave init out, or draw at random: he_normal, glorot_uniform",
            )


def _has_weights_behind(start: Node, graph: Graph) -> bool:
    reached = {start.name}
    for node in graph.nodes:
        if not reached.isdisjoint(node.inputs):
            if _has_weights(node, graph):
                return True
            reached.add(node.name)
    return False
