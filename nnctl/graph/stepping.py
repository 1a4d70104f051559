"""The network of one step: what a sequence's next step takes, with states carried on.

A node that depends on what is fed has one step, recurrent ones go on where they ended. Nodes that
do not depend on it stay as they are for all steps: they become inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nnctl.graph.graph import INPUT, Graph, LengthsOf, Node, State, input_node_name
from nnctl.graph.verify import verify
from nnctl.spec.shapes import Shape

CARRIED = "carried"


class NotByStep(Exception):
    """A network that cannot go step by step; the message says which layer, and why."""


@dataclass(frozen=True)
class Stepped:
    """``graph`` is that of one step, for ``rows`` samples at most. ``kept`` maps its inputs to the
    nodes of the whole network that give them; ``starts`` the recurrent nodes to those that give
    the states they start from, None where they start from zero or from what is trained."""

    graph: Graph
    fed: str
    kept: Mapping[str, str]
    starts: Mapping[str, str | None]


def one_step(graph: Graph, fed: str, outputs: Sequence[str], rows: int) -> Stepped:
    """Return the step's network of ``graph``, fed by its input ``fed``, up to some outputs.

    Raises NotByStep.
    """
    made = _Step(graph, input_node_name(fed), rows)
    needed = graph.ancestors(outputs)
    for node in graph.nodes:
        if node.name in needed:
            made.add(node)
    return made.result(fed, outputs)


class _Step:
    def __init__(self, graph: Graph, source: str, rows: int) -> None:
        self.whole, self.source, self.rows = graph, source, rows
        self.old = graph.by_name()
        self.nodes: dict[str, Node] = {}
        self.kept: dict[str, str] = {}
        self.starts: dict[str, str | None] = {}
        self.states: dict[str, State] = {}

    def add(self, node: Node) -> None:
        """Add a node, if it depends on what is fed."""
        if node.name == self.source:
            shape = (1, *node.shape[1:])
            self.nodes[node.name] = replace(node, shape=shape, lengths=None)
        elif not self.nodes.keys().isdisjoint(node.inputs):
            self._require(node)
            self.nodes[node.name] = self._recurrent(node) if node.steps else self._plain(node)

    def _require(self, node: Node) -> None:
        """Raise NotByStep if a step of a node needs more than that of what it reads."""
        if node.steps is not None:
            if node.steps.backward:
                raise NotByStep(f'"{node.layer}" goes from the last step to the first')
            if not self.nodes.keys().isdisjoint(node.inputs[1:]):
                raise NotByStep(f'"{node.layer}" starts from what depends on all steps')
            return
        alone = node.own_lengths and self.nodes.keys().isdisjoint(node.inputs[1:])
        read = [self.old[name] for name in node.inputs if name in self.nodes]
        has_steps = any(self.nodes[one.name].shape != one.shape for one in read)
        if has_steps and not alone and (node.reach != () or not node.stepwise):
            raise NotByStep(f'"{node.layer}" ({node.op}) reads more than one step at a time')

    def _recurrent(self, node: Node) -> Node:
        starts = node.steps is not None and node.steps.starts and len(node.inputs) > 1
        start = node.inputs[1] if starts else None
        self.starts[node.name] = start
        name = f"{node.name}.{CARRIED}"
        units, every = node.shape[-1], node.steps is not None and node.steps.every
        states = len(node.steps.states) if node.steps is not None else 1
        self.states[name] = State(name, (self.rows, states * units), 0.0, node.name)
        return replace(
            node,
            inputs=node.inputs[:1],
            shape=(1, units) if every else (units,),
            fields={**node.fields, CARRIED: True},
            states={**node.states, CARRIED: name},
            lengths=None,
        )

    def _plain(self, node: Node) -> Node:
        inputs = tuple(self._read(name) for name in node.inputs)
        read = next(self.old[name] for name in node.inputs if name in self.nodes)
        stepped = self.nodes[read.name].shape != read.shape
        shape: Shape = (1, *node.shape[1:]) if stepped and len(node.shape) > 1 else node.shape
        return replace(node, inputs=inputs, shape=shape, lengths=None)

    def _read(self, name: str) -> str:
        """Return what stands for a node that is read: itself, or an input that holds it."""
        if name in self.nodes:
            return name
        known = f"kept.{name}"
        self.kept[known] = name
        return input_node_name(known)

    def result(self, fed: str, outputs: Sequence[str]) -> Stepped:
        kept = {key: self.old[name] for key, name in self.kept.items()}
        first = [
            Node(input_node_name(key), INPUT, (), node.shape, lengths=_lengths(key, node))
            for key, node in kept.items()
        ]
        nodes = (*first, *self.nodes.values())
        used = {use.parameter for node in nodes for use in node.params.values()}
        inputs = {fed: self.nodes[self.source].shape, **{k: n.shape for k, n in kept.items()}}
        graph = Graph(
            nodes,
            {n: self._owned(p, nodes) for n, p in self.whole.parameters.items() if n in used},
            inputs,
            tuple(outputs),
            (),
            self.states,
            tuple(node.lengths.input for node in first if node.lengths is not None),
        )
        return Stepped(verify(graph), fed, dict(self.kept), dict(self.starts))

    def _owned(self, parameter: Any, nodes: Sequence[Node]) -> Any:
        """A parameter with an owner that is there, where layers share it."""
        names = {node.name for node in nodes}
        if parameter.node in names:
            return parameter
        uses = ((n, use) for n in nodes for use in n.params.values())
        owner = next(n.name for n, use in uses if use.parameter == parameter.name)
        return replace(parameter, node=owner)


def _lengths(key: str, node: Node) -> LengthsOf | None:
    """A kept sequence brings its lengths along, if it has some."""
    return LengthsOf(key) if node.lengths is not None else None
