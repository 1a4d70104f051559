"""Whether a run can go on under a spec that has changed: what changed, and what may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnctl.errors import CheckpointError, Problem
from nnctl.spec import Spec

# What decides when training ends, what is kept and what is said: no number of a step. Everything
# else changes what a step computes, or what the best and the waiting are measured by.
ENDS = (
    "training.epochs",
    "training.max_steps",
    "training.loss_below",
    "training.gradient_norm_below",
    "training.early_stopping",
)
ALLOWED = (
    *ENDS,
    "training.threads",
    "training.log_every",
    "checkpoint",
    "gates",
    "name",
    "description",
)

Change = tuple[str, Any, Any]


def changes(old: Spec, new: Spec) -> list[Change]:
    """Return (dotted path, old value, new value) of every field that differs; None: not set."""
    before, after = dict(_flat(old.digest_dict())), dict(_flat(new.digest_dict()))
    paths = [*before, *(path for path in after if path not in before)]
    return [
        (path, before.get(path), after.get(path))
        for path in paths
        if before.get(path) != after.get(path)
    ]


def is_under(path: str, heads: tuple[str, ...]) -> bool:
    """Return whether a dotted path is one of ``heads`` or lies under one."""
    return any(path == head or path.startswith(f"{head}.") for head in heads)


def refuse_changes(found: list[Change], run: str) -> None:
    """Raise CheckpointError with every change that a resumed run cannot have."""
    problems = [
        Problem(f"was {_shown(old)}, is now {_shown(new)}", path=path)
        for path, old, new in found
        if not is_under(path, ALLOWED)
    ]
    if problems:
        head = Problem(
            f"{run} was trained with another spec and cannot go on with this one",
            "take the changes back, or start a new run without resuming\n"
            f"what may change: {', '.join(ALLOWED)}",
        )
        raise CheckpointError([head, *problems])


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}.{index}")
    else:
        yield path, value


def _shown(value: Any) -> str:
    return "not set" if value is None else repr(value)
