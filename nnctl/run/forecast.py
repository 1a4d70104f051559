"""Forecasts far ahead: what a network predicts is read as the series' next step, and so on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnctl.data import Part, load
from nnctl.errors import UsageError
from nnctl.run.evaluate import Stored, compiled, read
from nnctl.run.predicting import unlabeled
from nnctl.run.prepare import parts_of
from nnctl.spec.metrics import SPLITS

Array = np.ndarray[Any, Any]
DIGITS = 9
NAME = "ahead"


@dataclass(frozen=True)
class Forecasts:
    """``values`` (steps, columns) in their own units, of the steps behind a series' end."""

    source: str
    columns: tuple[str, ...]
    values: Array

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield one JSON-able row a step."""
        for step, row in enumerate(self.values, 1):
            numbers = (float(f"{value:.{DIGITS}g}") for value in row)
            yield {"ahead": step, **dict(zip(self.columns, numbers, strict=True))}


def carry_on(path: Path, source: str, steps: int, threads: int | None = None) -> Forecasts:
    """Return how a checkpoint of a series carries ``source`` on. Raises UsageError, DataError."""
    stored = read(path)
    name, columns = _columns(stored)
    part = _to_the_end(stored, source)
    plan = compiled(stored, None, threads)
    head = stored.heads[0]
    window = part.inputs[name][-1:].astype(np.float64)
    for known in part.targets.values():  # a part of the data knows what follows its last window
        window = _followed(window, known[-1].reshape(-1)[-len(columns) :])
    found = []
    try:
        for _ in range(steps):
            plan.attach(NAME, {name: window})
            outputs = plan.evaluate(NAME).outputs[head.node]
            last = head.rows(outputs).reshape(-1)[-len(columns) :]
            found.append(last)
            window = _followed(window, last)
    finally:
        plan.close()
    return Forecasts(source, columns, np.array(found))


def _to_the_end(stored: Stored, source: str) -> Part:
    """Return the windows of a file or of a part of the data, the last of which ends where that
    does: those of a part may lie further apart than a step."""
    part = unlabeled(stored, source)
    if source not in SPLITS or stored.info.stride in (None, 1):
        return part
    spec = stored.spec
    data = spec.data.model_copy(update={"stride": 1})
    every = load(data, spec.base_dir, spec.problem)
    return parts_of(every, spec.model_copy(update={"data": data}))[source]


def _followed(window: Array, step: Array) -> Array:
    """The window (1, T, C) a step later, with what its last step is."""
    return np.concatenate([window[:, 1:], step.reshape(1, 1, -1)], axis=1)


def _columns(stored: Stored) -> tuple[str, tuple[str, ...]]:
    """Return the name of the input and the columns that the network predicts. Raises UsageError
    where they are not all that it reads: then nobody knows what it would read next."""
    data, reading = stored.spec.data, stored.reading
    hint = "predict INPUT without --ahead: what follows each of its windows"
    if data.window is None or reading is None or reading.roles is None:
        raise UsageError("--ahead carries on a series, and this network reads none", hint)
    inputs, targets = reading.roles.inputs, reading.roles.targets
    if len(inputs) != 1 or list(inputs.values()) != list(targets.values()):
        reads = ", ".join(name for names in inputs.values() for name in names)
        says = ", ".join(name for names in targets.values() for name in names)
        raise UsageError(
            "--ahead needs a network that predicts all that it reads, as one target of the same "
            f"columns in the same order as its one input: it reads {reads} and predicts {says}",
            f"train one with features = target, or {hint}",
        )
    horizon = 1 if data.horizon is None else data.horizon
    if horizon != 1:
        raise UsageError(
            f"--ahead needs a network that predicts the next step, and this one predicts the "
            f"one {horizon} steps ahead",
            f"train one with horizon = 1, or {hint}",
        )
    if stored.graph.carried:
        raise UsageError(
            "--ahead starts anew from the last window, and the states of this network go on from "
            "window to window",
            f"train one without stateful, or {hint}",
        )
    ((name, columns),) = inputs.items()
    return name, tuple(columns)
