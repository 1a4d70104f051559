"""Where training starts: He's start before the ReLU family, Glorot's before all else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from nnctl.graph.graph import Graph, Node, Parameter

HE, GLOROT = "he_normal", "glorot_uniform"


def with_starts(graph: Graph) -> Graph:
    """Return the graph with an initializer's model for every parameter.

    A layer leaves the choice to the graph with ``init=None``: what decides is the activation that
    its output meets first, in the layer itself or behind it.
    """
    readers = graph.readers()
    by_name = graph.by_name()

    def relu_follows(node: Node) -> bool:
        """Look along the only reader, past what neither mixes numbers nor trains a weight."""
        while len(readers[node.name]) == 1:
            node = by_name[readers[node.name][0]]
            if node.relu_family or node.elementwise:
                return node.relu_family
            if any(
                graph.parameters[use.parameter].kind == "weight" for use in node.params.values()
            ):
                return False
        return False

    def start(parameter: Parameter) -> Any:
        chosen = parameter.init
        if chosen is None:
            chosen = HE if relu_follows(by_name[parameter.node]) else GLOROT
        return _model(chosen)

    parameters = {name: replace(p, init=start(p)) for name, p in graph.parameters.items()}
    return replace(graph, parameters=parameters)


def _model(chosen: Any) -> Any:
    """Return the model of an initializer that may be given by its tag; of several, all models."""
    if isinstance(chosen, tuple):
        return tuple(_model(one) for one in chosen)
    if not isinstance(chosen, str):
        return chosen
    from nnctl.spec.registry import model

    return cast("Any", model("initializers", chosen))(type=chosen)
