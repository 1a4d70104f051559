"""``metrics`` and ``[gates]``: which figures are wanted, and what they must reach."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from nnctl.errors import Problem, UsageError

from .base import Also, Expect, Finding, Words
from .metrics import METRICS, find, parse_gate
from .suggest import hint
from .writer import shown


def metric_problem(name: str) -> Problem | None:
    """Say what is wrong with a metric's name, if anything."""
    if find(name):
        return None
    head, bracket, label = name.partition("[")
    base = head.rsplit(".", 1)[-1]
    metric = METRICS.get(base)
    if metric is None:
        known = [m.name + (bracket + label if m.per_class else "") for m in METRICS.values()]
        return Problem(f'unknown metric "{name}"', hint(base + bracket + label, known, "metrics"))
    if metric.per_class:
        return Problem(
            f'{base} is of one class: expected "{base}[CLASS]", given "{name}"',
            f"macro_{base} is the mean over all classes",
        )
    return Problem(f'{base} takes no class, given "{name}"', f'write "{base}"')


def _refuse(findings: list[Finding]) -> None:
    if findings:
        raise PydanticCustomError("conflict", "conflict", {"findings": findings})


def _known(names: list[str]) -> list[str]:
    wrong = [(index, metric_problem(name)) for index, name in enumerate(names)]
    _refuse([Finding((index,), p.message, p.hint) for index, p in wrong if p is not None])
    return names


def _gate_texts(value: Any) -> Any:
    """Turn ``{accuracy = ">=0.95"}`` in ``["accuracy>=0.95"]``, and read every gate."""
    entries: dict[Any, Any] = {}
    if isinstance(value, dict):
        entries = value
    elif isinstance(value, list):
        entries = dict(enumerate(value))
    if not entries:
        return [] if value == {} else value
    _refuse(
        [
            Finding((key,), f'expected a text such as ">=0.95", given {shown(text)}')
            for key, text in entries.items()
            if not isinstance(text, str)
        ]
    )
    gates = {key: f"{key}{text}" if isinstance(key, str) else text for key, text in entries.items()}
    _refuse(
        [
            Finding((key,), problem.message, problem.hint)
            for key, text in gates.items()
            for problem in _gate_problems(text)
        ]
    )
    return list(gates.values())


def _gate_problems(text: str) -> Iterable[Problem]:
    try:
        problem = metric_problem(parse_gate(text).name)
    except UsageError as error:
        return error.problems
    return [problem] if problem else []


MetricNames = Annotated[Words, AfterValidator(_known), Expect("a metric's name or a list of names")]
Gates = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]],
    BeforeValidator(_gate_texts),
    Also({"type": "object", "additionalProperties": {"type": "string"}}),
    Expect('a table such as accuracy = ">=0.95", or a list such as ["accuracy>=0.95"]'),
]
