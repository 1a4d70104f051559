"""Sequences of several lengths: whose lengths an output has, and who would read padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnctl.graph.graph import Node
from nnctl.graph.report import Report


def with_lengths(nodes: Sequence[Node], report: Report) -> list[Node]:
    """Return the nodes with their lengths; a layer that takes padding for data is reported."""
    known: dict[str, str | None] = {}
    found = []
    for node in nodes:
        if node.inputs:
            read = node.inputs[:1] if node.own_lengths else node.inputs
            given = {known.get(name) for name in read}
            node = replace(node, lengths=_of(node, given - {None}, report))
        known[node.name] = node.lengths
        found.append(node)
    return found


def _of(node: Node, given: set[str | None], report: Report) -> str | None:
    if not given:
        return None
    if len(given) > 1:
        names = " and ".join(f'"{name}"' for name in sorted(map(str, given)))
        message = f'"{node.layer}" joins sequences whose lengths differ: those of inputs {names}'
        report.add(node.where, message, 'reduce each to its last state first: returns = "last"')
        return None
    if not node.stepwise:
        message = f'"{node.layer}" ({node.op}) would read the padding of the shorter sequences'
        hint = 'put a recurrent layer with returns = "last" before it'
        report.add(node.where, message, hint)
        return None
    (name,) = given
    return name if len(node.shape) > 1 else None
