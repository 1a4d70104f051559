"""Reverse-mode differentiation: in which order gradients are computed, and which are needed.

What is summed where is not decided here: after ``insert_splits`` every output is read once, so a
node's ``dx`` is overwritten by its only reader, and a ``split`` adds what its readers send back.
"""

from __future__ import annotations

from dataclasses import dataclass

from nnctl.graph.graph import Graph


@dataclass(frozen=True)
class BackwardStep:
    """Run the backward of ``node``; ``needs_dx[i]`` tells whether input i wants a gradient."""

    node: str
    needs_dx: tuple[bool, ...]
    needs_dw: bool


def backward_order(graph: Graph) -> tuple[BackwardStep, ...]:
    """Return the backward steps, last node first: what lies between a parameter and a loss."""
    trains = trainable(graph)
    reached = reaches_loss(graph)
    return tuple(
        BackwardStep(node.name, tuple(name in trains for name in node.inputs), bool(node.params))
        for node in reversed(graph.nodes)
        if node.name in trains and node.name in reached
    )


def trainable(graph: Graph) -> set[str]:
    """Return the nodes whose output depends on a parameter."""
    found: set[str] = set()
    for node in graph.nodes:
        if node.params or not found.isdisjoint(node.inputs):
            found.add(node.name)
    return found


def reaches_loss(graph: Graph) -> set[str]:
    """Return the nodes on which a loss depends."""
    return graph.ancestors(loss.output for loss in graph.losses)
