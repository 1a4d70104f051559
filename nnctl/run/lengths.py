"""Hold the lengths of sequences against the network, and bring targets to the steps of outputs.

Targets of which no step counts compare with nothing: a part of them is refused, and a sample where
a decoder is to say it.

An output whose steps are those of an input, or as many as its layers make of them, has no place for
a longer target; a shorter one leaves the rest uncounted. A stop needs no step of its own: where the
target is as long as the output, its end is the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nnctl.data import Part
from nnctl.data.problems import counted, first_of
from nnctl.errors import DataError, Problem
from nnctl.graph import Graph, Node
from nnctl.graph.graph import LossNode
from nnctl.spec.info import STOP, TargetInfo

Array = np.ndarray[Any, Any]
Problems = Iterator[Problem]
SHORTEN = (
    'a layer of type = "encoder_decoder" goes from sequences to others of any length; else shorten '
    "the\ntarget, or leave the record out"
)


def fitted(graph: Graph, targets: Mapping[str, TargetInfo], part: Part, file: str = "") -> Part:
    """Return a part with targets of as many steps as the outputs have that they stand beside.

    Raises DataError for sequences that are too short for a window, and targets that are too long
    for theirs, or have no step.
    """
    problems = [*_too_short(graph, part), *_empty(graph, targets, part)]
    ends = {}
    for loss in graph.losses:
        node, values = graph.node(loss.output), part.targets.get(loss.target)
        if node.lengths is None or values is None or not _is_bounded(graph, loss, targets):
            continue
        room = node.lengths.of(part.lengths[node.lengths.input])
        values = _without_stops(values, targets[loss.target], room)
        problems += _too_long(node, values, room, targets[loss.target], part)
        ends[loss.target] = _resized(values, node.shape[0])
    if problems:
        raise DataError(first_of(replace(problem, file=file) for problem in problems))
    naive = {
        name: _resized(values, ends[name].shape[1]) if name in ends else values
        for name, values in part.naive.items()
    }
    return replace(part, targets={**part.targets, **ends}, naive=naive)


def bounded(graph: Graph, targets: Mapping[str, TargetInfo]) -> bool:
    """Whether there can be a sequence that is too short for a window, or a target too long."""
    windows = any(least > 1 for least, _ in graph.least_lengths().values())
    return windows or any(_is_bounded(graph, loss, targets) for loss in graph.losses)


def _is_bounded(graph: Graph, loss: LossNode, targets: Mapping[str, TargetInfo]) -> bool:
    """Whether the steps of an output are those of an input, and not of its target."""
    lengths, target = graph.node(loss.output).lengths, targets.get(loss.target)
    if lengths is None or target is None or target.steps is None:
        return False
    return lengths.input not in graph.fed


def _too_short(graph: Graph, part: Part) -> Problems:
    for name, (least, node) in graph.least_lengths().items():
        given = part.lengths.get(name)
        if given is None:
            continue
        for row in np.flatnonzero(given < least).tolist():
            which = f' of input "{name}"' if name else ""
            message = f'{_steps(given[row])}{which}, and "{node.layer}" needs {least} or more'
            hint = 'leave the record out, or take smaller windows, or padding = "causal"'
            yield _at(part, row, message, hint)


def _empty(graph: Graph, targets: Mapping[str, TargetInfo], part: Part) -> Problems:
    said = {one.target for one in graph.spoken.values() if not one.closed}
    for name in dict.fromkeys(loss.target for loss in graph.losses):
        values, info = part.targets.get(name), targets.get(name)
        if values is None or info is None or info.steps is None or not len(values):
            continue
        there = np.asarray(_counts(values).any(axis=1))
        which, filler = f' "{name}"' if name else "", "-1" if values.ndim == 2 else "NaN"
        if not there.any():
            given = counted(len(there), "sample")
            message = f"no step of the target{which} counts in these {given}: all are {filler}"
            yield Problem(message, "give a target at some steps")
        elif name in said:
            for row in np.flatnonzero(~there).tolist():
                message = f"the target{which} has no step: all are {filler}"
                yield _at(part, row, message, "leave the sample out: a decoder has nothing to say")


def _too_long(node: Node, values: Array, room: Array, info: TargetInfo, part: Part) -> Problems:
    ends = _ends(values)
    for row in np.flatnonzero((ends > room) & (room > 0)).tolist():
        length = ends[row] - (values[row, ends[row] - 1] == _stop(info) if values.ndim == 2 else 0)
        given = part.lengths[_input(node)][row]
        message = f'the target has {_steps(length)}, and its input {given}: "{node.layer}" gives '
        message += "one output for each" if given == room[row] else f"{_outputs(room[row])} of them"
        yield _at(part, row, message, SHORTEN)


def _input(node: Node) -> str:
    return node.lengths.input if node.lengths is not None else ""


def _at(part: Part, row: int, message: str, hint: str) -> Problem:
    """Name a sample: by its line, if it is a record."""
    if part.lines is None:
        return Problem(f"sample {part.index[row]}: {message}", hint)
    return Problem(message, hint, line=int(part.lines[row]), column=1)


def _steps(count: int) -> str:
    return counted(int(count), "step")


def _outputs(count: int) -> str:
    return counted(int(count), "output")


def _counts(values: Array) -> Array:
    """Which steps count, (N, steps)."""
    return np.asarray(values >= 0 if values.ndim == 2 else ~np.isnan(values).any(axis=2))


def _ends(values: Array) -> Array:
    """The steps of each target, up to the last that counts."""
    counts = _counts(values)
    last = counts.shape[1] - np.argmax(counts[:, ::-1], axis=1)
    return np.asarray(np.where(counts.any(axis=1), last, 0))


def _stop(info: TargetInfo) -> int | None:
    """The class that ends sequences, if there is one."""
    classes = info.classes or ()
    return classes.index(STOP) if STOP in classes else None


def _without_stops(values: Array, info: TargetInfo, room: Array) -> Array:
    """Leave out the stops that lie just behind the last step of their output."""
    if info.kind != "class" or _stop(info) is None:
        return values
    ends = _ends(values)
    rows = np.flatnonzero(ends == room + 1)
    rows = rows[values[rows, ends[rows] - 1] == _stop(info)]
    found = values.copy()
    found[rows, ends[rows] - 1] = -1
    return found


def _resized(values: Array, steps: int) -> Array:
    """Cut or add uncounted steps."""
    filler = -1 if values.dtype.kind == "i" else np.nan
    found = np.full((len(values), steps, *values.shape[2:]), filler, dtype=values.dtype)
    found[:, : values.shape[1]] = values[:, :steps]
    return found
