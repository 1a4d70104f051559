"""Outputs of a split judged: metrics, rows by class, confusion, worst samples, gates.

The one place that makes the document of ``eval --json``, which training writes too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnctl.metrics import (
    Classified,
    Ending,
    Forecast,
    MultiLabel,
    Regressed,
    Sequences,
    View,
    compute,
    per_class,
)
from nnctl.run.heads import Array, Head
from nnctl.run.mistakes import Origin, by_row, surest_mistakes
from nnctl.spec.gates import Gate, Verdict, judge

Speak = Callable[[Head], tuple[Array, Array]]
"""Gives what the decoder of an output says of all samples: classes (N, steps), -1 at the end, or
numbers (N, steps, W); and how many steps each of them has (N,)."""

WORST = 10
SHOWN_STEPS = 40
# What training follows when the spec names nothing.
DEFAULTS: dict[type[View], tuple[str, ...]] = {
    Classified: ("accuracy",),
    Sequences: ("accuracy",),
    MultiLabel: ("accuracy",),
    Regressed: ("mae", "r2"),
    Forecast: ("mae", "naive_mae", "skill"),
    Ending: ("mae", "r2", "length_error"),
}


@dataclass(frozen=True)
class Details:
    """What one output has beyond plain figures; empty for regression."""

    per_class: list[dict[str, Any]] = field(default_factory=list)
    confusion: dict[str, Any] | None = None
    mistakes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Assessment:
    """Everything that is said of a network on one split. Undefined figures are None.

    ``pictures`` and ``activations`` are arrays for the report, if samples are pictures and if maps
    were asked for.
    """

    split: str
    samples: int
    metrics: dict[str, float | None]
    details: dict[str, Details]
    worst: list[dict[str, Any]]
    verdicts: list[Verdict] = field(default_factory=list)
    pictures: Mapping[str, Array] = field(default_factory=dict)
    activations: Mapping[str, Array] = field(default_factory=dict)

    @property
    def per_class(self) -> list[dict[str, Any]]:
        """The rows by class; those of several outputs say which one they are of."""
        return self._rows({name: found.per_class for name, found in self.details.items()})

    @property
    def mistakes(self) -> list[dict[str, Any]]:
        """The mistakes that are surest; those of several outputs say which one they are of."""
        return self._rows({name: found.mistakes for name, found in self.details.items()})

    def _rows(self, found: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
        if "" in found:
            return found[""]
        return [{"output": name, **row} for name, rows in found.items() for row in rows]

    def document(self, checkpoint: str) -> dict[str, Any]:
        """Return the fields of ``eval --json``; ``outputs`` only where there are several."""
        only = self.details.get("")
        found: dict[str, Any] = {
            "checkpoint": checkpoint,
            "split": self.split,
            "samples": self.samples,
            "metrics": self.metrics,
            "per_class": self.per_class,
            "confusion": only.confusion if only else None,
            "gates": [verdict.row() for verdict in self.verdicts],
            "worst": self.worst,
            "mistakes": self.mistakes,
        }
        if only is None:
            found["outputs"] = {
                name: {"per_class": d.per_class, "confusion": d.confusion}
                for name, d in self.details.items()
            }
        return found


def measure(
    heads: Sequence[Head],
    outputs: Mapping[str, Array],
    targets: Mapping[str, Array],
    wanted: Sequence[str] | None,
    naive: Mapping[str, Array] | None = None,
    speak: Speak | None = None,
) -> dict[str, float]:
    """Return the metrics that training follows: those named, else the default of each task."""
    found: dict[str, float] = {}
    for head in heads:
        seen = _view(head, outputs, targets, naive, speak)
        names = DEFAULTS[type(seen)] if wanted is None else _own(head, wanted)
        values = compute(seen, names) | _of_classes(head, seen, names)
        found |= {head.prefix + name: value for name, value in values.items()}
    return found


def _view(
    head: Head,
    outputs: Mapping[str, Array],
    targets: Mapping[str, Array],
    naive: Mapping[str, Array] | None,
    speak: Speak | None,
) -> View:
    """Return an output beside its target; of a forecast with what is carried forward, of a decoder
    with what it says by itself."""
    truth, last = targets[head.target], (naive or {}).get(head.target)
    if speak is None or head.feeds is None:
        return head.view(outputs[head.node], truth, last)
    if head.info.kind != "class":
        numbers, ends = speak(head)
        return head.view(numbers, truth, last, ends if head.ends else None)
    seen = head.view(outputs[head.node], truth, last)
    if isinstance(seen, Sequences):
        seen.speak, seen.stop = (lambda: speak(head)[0]), head.stop
    return seen


def _of_classes(head: Head, seen: View, names: Iterable[str]) -> dict[str, float]:
    """Return the figures of single classes, such as ``recall[7]``."""
    wanted = {name for name in names if "[" in name}
    if not wanted or not isinstance(seen, Classified):
        return {}
    rows = per_class(seen, head.classes)
    values = {f"{key}[{row['class']}]": row[key] for row in rows for key in row}
    return {name: _number(values[name]) for name in wanted if name in values}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def assess(
    heads: Sequence[Head],
    outputs: Mapping[str, Array],
    targets: Mapping[str, Array],
    *,
    split: str,
    loss: float,
    losses: Array | None = None,
    origin: Origin = by_row,
    wanted: Iterable[str] = (),
    gates: Sequence[Gate] = (),
    naive: Mapping[str, Array] | None = None,
    speak: Speak | None = None,
    unmeasured: Collection[str] = (),
) -> Assessment:
    """Return all metrics of every output, and those ``wanted`` or gated that take a parameter.

    ``losses`` (N,) are the samples' own; ``origin`` tells where a row comes from; ``naive`` the
    targets as they were last (forecasts); ``speak`` what a decoder says of all samples by itself.
    ``unmeasured`` metrics are left out.
    """
    metrics: dict[str, float | None] = {"loss": _defined(loss)}
    details: dict[str, Details] = {}
    views = {head: _view(head, outputs, targets, naive, speak) for head in heads}
    for head, seen in views.items():
        more = _own(head, [*wanted, *(gate.metric for gate in gates)])
        values = compute(seen) | compute(seen, more)
        values = {name: value for name, value in values.items() if name not in unmeasured}
        metrics |= {head.prefix + name: _defined(value) for name, value in values.items()}
        details[head.name] = _details(head, seen, origin)
    worst = [] if losses is None else _worst(views, losses, origin)
    samples = len(targets[heads[0].target])
    found = Assessment(split, samples, metrics, details, worst)
    found.verdicts.extend(judge(gates, metrics, _rows(details)))
    return found


def _own(head: Head, names: Iterable[str]) -> list[str]:
    """Return the names that are meant for this output, without its prefix."""
    return [name.removeprefix(head.prefix) for name in names if name.startswith(head.prefix)]


def _details(head: Head, seen: View, origin: Origin) -> Details:
    if not isinstance(seen, Classified):
        return Details()
    rows = per_class(seen, head.classes)
    counts = {"classes": [row["class"] for row in rows], "counts": seen.confusion.tolist()}
    return Details(rows, counts, surest_mistakes(head, seen, origin))


def _rows(details: Mapping[str, Details]) -> list[dict[str, Any]]:
    """Return the rows by class with the names that gates use: ``OUTPUT.recall`` of a class."""
    return [
        {_gated(name, key): value for key, value in row.items()}
        for name, found in details.items()
        for row in found.per_class
    ]


def _gated(output: str, key: str) -> str:
    return key if key == "class" or not output else f"{output}.{key}"


def _worst(views: Mapping[Head, View], losses: Array, origin: Origin) -> list[dict[str, Any]]:
    """Return the samples with the largest loss (NaN first), the earliest in a tie first."""
    order = np.argsort(np.where(np.isnan(losses), -np.inf, -losses), kind="stable")[:WORST]
    head, seen = next(iter(views.items()))
    return [
        {
            **origin(row),
            "loss": _defined(float(losses[row])),
            "true": _said(head, seen, row, "labels", "truth"),
            "predicted": _said(head, seen, row, "predicted", "predictions"),
        }
        for row in order
    ]


def _said(head: Head, seen: View, row: int, label: str, number: str) -> str | float | None:
    """Return the class, the number or the sequence that a sample has or was given; of several
    numbers none."""
    if isinstance(seen, Sequences) and seen.speak is not None and label == "predicted":
        return sequence(head, seen.spoken[row][seen.spoken[row] >= 0])
    if seen.places is not None:
        of_it = np.flatnonzero(seen.places.sample == row)
        return sequence(head, getattr(seen, label)[of_it]) if hasattr(seen, label) else None
    if isinstance(seen, Classified):
        k = int(getattr(seen, label)[row])
        return head.classes[k] if k < len(head.classes) else str(k)
    if isinstance(seen, Regressed) and seen.truth.shape[1] == 1:
        return _defined(float(getattr(seen, number)[row, 0]))
    return None


def sequence(head: Head, labels: Array) -> str:
    """Return the classes of a sample's steps that count, the first of them if they are many."""
    names = [head.classes[k] if k < len(head.classes) else str(k) for k in labels[:SHOWN_STEPS]]
    text = ("" if all(len(name) == 1 for name in head.classes) else " ").join(names)
    return text + (" ..." if len(labels) > SHOWN_STEPS else "")


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
