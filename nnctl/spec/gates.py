"""Gates: conditions such as ``accuracy>=0.95`` or ``recall[7]>=0.9`` that a network must meet.

Read here, so that a gate that cannot be read is a usage error before any work; judged here too,
by one rule: what is missing or NaN is not met. Standard library only.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnctl.errors import Problem, UsageError
from nnctl.spec.suggest import nearest

COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
GATE = re.compile(
    r"(?P<metric>[A-Za-z_][\w.-]*)\s*(?:\[(?P<label>[^\[\]]+)\])?\s*"
    r"(?P<compare>>=|<=|>|<)\s*(?P<limit>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
)
HINT = "write name>=number or name[class]>=number, with >=, <=, > or <: 'accuracy>=0.95'"


@dataclass(frozen=True)
class Gate:
    """One condition; ``label`` is the class of ``recall[7]``, else empty."""

    text: str
    metric: str
    label: str
    compare: str
    limit: float

    @property
    def name(self) -> str:
        """What the gate looks at: ``accuracy`` or ``recall[7]``."""
        return f"{self.metric}[{self.label}]" if self.label else self.metric

    def met(self, value: float | None) -> bool:
        """Return whether ``value`` meets the gate; None and NaN never do."""
        if value is None or math.isnan(value):
            return False
        return COMPARE[self.compare](value, self.limit)


@dataclass(frozen=True)
class Verdict:
    """A gate beside the value that was found (None: missing or undefined)."""

    gate: str
    value: float | None
    passed: bool
    reason: str = ""

    def row(self) -> dict[str, Any]:
        """Return the verdict as it stands in ``eval --json``."""
        return {"gate": self.gate, "value": self.value, "passed": self.passed}

    def problem(self) -> Problem:
        """Return the complaint about a gate that was not met."""
        return Problem(f"gate not met: {self.gate}: {self.reason}")


def parse_gate(text: str) -> Gate:
    """Return the gate that ``text`` says. Raises UsageError if it says none."""
    match = GATE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"cannot read the gate {text!r}", HINT)
    label = (match["label"] or "").strip().strip("'\"")
    return Gate(text.strip(), match["metric"], label, match["compare"], float(match["limit"]))


def parse_gates(texts: Iterable[str]) -> list[Gate]:
    """Return the gates. Raises UsageError with every text that is none."""
    gates: list[Gate] = []
    problems: list[Problem] = []
    for text in texts:
        try:
            gates.append(parse_gate(text))
        except UsageError as error:
            problems.extend(error.problems)
    if problems:
        raise UsageError(problems)
    return gates


def judge(
    gates: Iterable[Gate],
    metrics: Mapping[str, float | None],
    per_class: Sequence[Mapping[str, Any]] = (),
) -> list[Verdict]:
    """Return the verdict on every gate, in order.

    ``per_class`` has one row per class, ``{"class": name, "recall": ...}``.
    """
    values = dict(metrics)
    for row in per_class:
        values |= {f"{key}[{row['class']}]": value for key, value in row.items() if key != "class"}
    return [_judge(gate, values) for gate in gates]


def _judge(gate: Gate, values: Mapping[str, float | None]) -> Verdict:
    value = values.get(gate.name)
    if value is not None and math.isnan(value):
        value = None
    passed = gate.met(value)
    return Verdict(gate.text, value, passed, "" if passed else _reason(gate, value, values))


def _reason(gate: Gate, value: float | None, values: Mapping[str, float | None]) -> str:
    if value is not None:
        return f"{gate.name} is {value:.6g}"
    if gate.name in values:
        return f"{gate.name} is undefined here (NaN, or a class without samples)"
    near = nearest(gate.name, values)
    guess = f"; did you mean {near!r}?" if near else ""
    return f"there is no {gate.name} in this evaluation{guess}"
