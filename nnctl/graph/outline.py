"""The graph as the user wrote it: layers, each the nodes that it was expanded to."""

from __future__ import annotations

from dataclasses import dataclass

from nnctl.graph.graph import INPUT, SPLIT, Graph, Node
from nnctl.spec.shapes import Shape, Steps


@dataclass(frozen=True)
class Layer:
    """An input or a layer of the spec; ``nodes`` are its op and, it may be, its activation."""

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]  # names of layers
    own: tuple[str, ...]  # names of the parameters that it owns
    tied: tuple[str, ...]  # and of those that it borrows

    @property
    def type(self) -> str:
        """The ops, joined: ``dense + relu``."""
        return " + ".join(node.op for node in self.nodes)

    @property
    def shape(self) -> Shape:
        return self.nodes[-1].shape

    @property
    def steps(self) -> Steps | None:
        """How it goes through its input, if it is recurrent."""
        return self.nodes[0].steps

    @property
    def ways(self) -> tuple[Steps, ...]:
        """All ways that it goes through its input: two, if it goes in both directions."""
        return tuple(node.steps for node in self.nodes if node.steps is not None)


def outline(graph: Graph) -> tuple[Layer, ...]:
    """Return inputs and layers in topological order; splits are left out."""
    home = {node.name: home_of(node) for node in graph.nodes}
    groups: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.op != SPLIT:
            groups.setdefault(home[node.name], []).append(node)
    return tuple(_layer(name, nodes, home, graph) for name, nodes in groups.items())


def home_of(node: Node) -> str:
    """Return the name of the input or layer that a node belongs to."""
    return node.name if node.op == INPUT else node.layer


def _layer(name: str, nodes: list[Node], home: dict[str, str], graph: Graph) -> Layer:
    uses = [use.parameter for node in nodes for use in node.params.values()]
    mine = {node.name for node in nodes}
    own = tuple(use for use in uses if graph.parameters[use].node in mine)
    return Layer(
        name=name,
        nodes=tuple(nodes),
        inputs=tuple(home[source] for source in nodes[0].inputs),
        own=own,
        tied=tuple(use for use in uses if use not in own),
    )
