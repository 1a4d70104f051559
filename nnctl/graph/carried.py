"""Layers that go on where the batch before ended: data must come in the order that they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nnctl.graph.graph import Node, State
from nnctl.graph.report import Report

if TYPE_CHECKING:
    from nnctl.spec import Spec
    from nnctl.spec.info import DataInfo

Told = tuple[tuple[str | int, ...], str, str]


def check_carried(
    nodes: Sequence[Node], states: Sequence[State], spec: Spec, info: DataInfo, report: Report
) -> None:
    """Report data whose samples do not go on one from another, and settings that mix them."""
    owners = {state.node for state in states if state.of_samples}
    node = next((node for node in nodes if node.name in owners), None)
    for path, message, hint in _found(node, spec, info) if node is not None else ():
        report.add(path, message, hint)


def _found(node: Node, spec: Spec, info: DataInfo) -> Iterator[Told]:
    who = f'"{node.layer}" goes on where the batch before ended'
    if info.stride is None:
        kind = "sequences of several lengths" if info.lengths else "samples in random parts"
        message = f"{who}, and these are {kind}, not windows of one long sequence"
        yield (*node.path, "stateful"), message, "take a text, or a table with data.window"
        return
    window = next(iter(info.inputs.values()))[0]
    if info.stride != window:
        message = f"{who}: windows lie side by side, expected {window}, given {info.stride}"
        yield ("data", "stride"), message, f"set stride = {window}"
    if spec.data.limit is not None:
        message = f"{who}, and limit leaves windows out"
        yield ("data", "limit"), message, "remove it, or give a larger split.validation"
    training = spec.training
    if training.shuffle:
        message = f"{who}, so the order of windows is not random"
        yield ("training", "shuffle"), message, "set shuffle = false"
    if training.batch_size == "full":
        message = f'{who}, and with "full" every window is a stream of its own'
        yield ("training", "batch_size"), message, "give the number of streams, 32 for example"
