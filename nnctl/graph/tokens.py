"""Layers that read tokens: how many there are, and that they come from the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from nnctl.graph.graph import input_node_name
from nnctl.graph.report import Report
from nnctl.graph.wiring import Entry

if TYPE_CHECKING:
    from nnctl.spec.info import DataInfo


def with_tokens(entries: Iterable[Entry], info: DataInfo, report: Report) -> list[Entry]:
    """Return the layers with the data's number of tokens; what cannot be is reported."""
    inputs = [input_node_name(name) for name in info.inputs]
    sizes = {input_node_name(name): count for name, count in info.vocabularies.items()}
    found = []
    for entry in entries:
        counts = [sizes.get(name) for name in entry.inputs]
        made = replace(entry, layer=entry.layer.with_tokens(counts))
        if made.layer.reads_tokens:
            _check(made, counts, inputs, report)
        found.append(made)
    return found


def _check(entry: Entry, counts: list[int | None], inputs: list[str], report: Report) -> None:
    known = entry.layer.tokens()
    for name, count in zip(entry.inputs, counts, strict=True):
        if name not in inputs:
            message = f'"{entry.name}" reads tokens from the data, and "{name}" is a layer'
            report.add(entry.path, message, f'read an input of the data: from = "{inputs[0]}"')
        elif known is None:
            message = f'"{entry.name}": the data do not say how many tokens there are'
            hint = "set vocabulary; tokens are arrays of whole numbers from 0, one a step"
            report.add(entry.path, message, hint)
        elif count is not None and known < count:
            message = f"{known} tokens, but the data hold tokens up to {count - 1}"
            hint = f"set vocabulary = {count} or more, or leave it out"
            report.add((*entry.path, "vocabulary"), message, hint)
