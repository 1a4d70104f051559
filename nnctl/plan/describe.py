"""The training tape in words: phases between barriers, their calls, and how these are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nnctl.plan.plan import Plan


@dataclass(frozen=True)
class CallRow:
    """A call of a kernel. Groups of a phase run side by side; the calls of a group are run by each
    of its tasks, one after another."""

    phase: int
    group: int
    label: str
    kernel: str
    tasks: int
    writes: tuple[str, ...]


@dataclass(frozen=True)
class PlanRows:
    """The calls of a training step, and the memory that the plan takes."""

    calls: tuple[CallRow, ...]
    batch: int
    dtype: str
    threads: int
    phases: int
    activation_bytes: int  # and scratch, after the reuse of buffers


def describe(plan: Plan) -> PlanRows:
    """Return the plan of a training step; its data must be attached."""
    tape = plan.tapes.train()
    return PlanRows(
        calls=tuple(_calls(plan)),
        batch=plan.batch,
        dtype=plan.dtype,
        threads=plan.threads,
        phases=len(tape.phases),
        activation_bytes=len(tape.room.bytes),
    )


def _calls(plan: Plan) -> Iterator[CallRow]:
    for number, phase in enumerate(plan.tapes.train().phases, 1):
        for place, group in enumerate(phase, 1):
            for step in group.steps:
                writes = tuple(sorted({buffer.name for buffer in step.writes}))
                name = step.kernel.name
                yield CallRow(number, place, step.label, name, group.split.tasks, writes)
