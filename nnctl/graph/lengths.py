"""Sequences of several lengths: whose lengths an output has, and who would read padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nnctl.graph.graph import LengthsOf, Node
from nnctl.graph.report import Report

Known = Mapping[str, LengthsOf | None]


def with_lengths(nodes: Sequence[Node], report: Report) -> list[Node]:
    """Return the nodes with their lengths; a layer that takes padding for data is reported."""
    known: dict[str, LengthsOf | None] = {}
    found = []
    for node in nodes:
        if node.inputs:
            node = replace(node, lengths=_of(node, known, report))
        known[node.name] = node.lengths
        found.append(node)
    return found


def _of(node: Node, known: Known, report: Report) -> LengthsOf | None:
    read = node.inputs[:1] if node.own_lengths else node.inputs
    given = {one: name for name in read if (one := known.get(name)) is not None}
    if len(given) > 1:
        names = " and ".join(f'"{name}"' for name in sorted(given.values()))
        message = f'"{node.layer}" joins sequences whose lengths differ: those of {names}'
        report.add(node.where, message, 'reduce each to its last state first: returns = "last"')
        return None
    if not given or not _passes(node, report) or len(node.shape) < 2:
        return None
    (one,) = given
    return one if node.stepwise or node.passage is None else one.after(node.passage.through)


def _passes(node: Node, report: Report) -> bool:
    """Whether sequences of several lengths pass a node; report why not."""
    if node.stepwise or (node.passage is not None and node.passage.refused is None):
        return True
    reason, hint = "would read the padding of the shorter sequences", WHOLE
    if node.passage is not None and node.passage.refused is not None:
        reason, hint = node.passage.refused
    report.add(node.where, f'"{node.layer}" ({node.op}) {reason}', hint)
    return False


WHOLE = (
    'make one vector of all steps: returns = "last" in a recurrent layer before it,\n'
    "or global_max_pool or global_avg_pool behind convolutions"
)
