"""From a list of calls to phases: what may run side by side, and what stays on one task's shard.

A barrier stands between phases only. A call joins the group of the call it depends on when both are
cut alike and each touches no more than its task's own region of what they share; it starts a group
of its own beside the others when it depends on none of them; else it starts a new phase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nnctl.engine.kernel import Split
from nnctl.plan.buffers import Buffer
from nnctl.plan.steps import Step


@dataclass
class Group:
    """Calls that every task runs one after another."""

    split: Split
    steps: list[Step] = field(default_factory=list)


Phase = list[Group]


def _conflict(a: Step, b: Step) -> set[Buffer]:
    """Buffers through which the later of two calls depends on the earlier."""
    return (a.writes & b.touches) | (a.touches & b.writes)


def _is_local(step: Step, buffer: Buffer, split: Split) -> bool:
    """Whether a task of ``step`` touches only its own region of ``buffer``."""
    if buffer.fixed:
        return False
    names = step.argument_of(buffer)
    if any(name in step.kernel.whole for name in names):
        return False
    by_rows = split.column_tasks == 1 and split.limit < 0
    if any(name in step.kernel.rowwise for name in names) or step.kernel.kind == "rows":
        return by_rows
    return split.limit < 0


def _same_cut(a: Split, b: Split) -> bool:
    if a.limit >= 0 or b.limit >= 0 or (a.rows, a.row_tasks) != (b.rows, b.row_tasks):
        return False
    return a.column_tasks == b.column_tasks == 1 or a == b


def _adopt(step: Step, split: Split) -> Split | None:
    """The split of a neighbor, for a call that has none of its own; None if it does not fit."""
    if split.limit >= 0:
        return None
    if split.column_tasks == 1:
        return replace(split, columns=step.width, width=step.width)
    fits = step.kernel.kind == "elementwise" and split.width == step.width
    return split if fits else None


class Builder:
    """Builds the phases of one tape; ``rows`` is how calls on samples are cut by default."""

    def __init__(self, rows: Split) -> None:
        self.rows = rows
        self.phases: list[Phase] = []

    def build(self, steps: Sequence[Step]) -> list[Phase]:
        for k, step in enumerate(steps):
            self._add(step, steps[k + 1] if k + 1 < len(steps) else None)
        return self.phases

    def _add(self, step: Step, following: Step | None) -> None:
        phase = self.phases[-1] if self.phases else []
        needed = [g for g in phase if any(_conflict(s, step) for s in g.steps)]
        own = step.own_split()
        if len(needed) == 1 and self._join(needed[0], step, own):
            return
        split = own or self._look_ahead(step, following)
        group = Group(split, [step])
        step.split = split
        if needed or not phase or phase[0].steps[0].is_alone:
            self.phases.append([group])
        else:
            phase.append(group)

    def _join(self, group: Group, step: Step, own: Split | None) -> bool:
        split = own or _adopt(step, group.split)
        if split is None or not _same_cut(group.split, split):
            return False
        for other in group.steps:
            for buffer in _conflict(other, step):
                if other.split is None or not _is_local(other, buffer, other.split):
                    return False
                if not _is_local(step, buffer, split):
                    return False
        step.split = split
        group.steps.append(step)
        return True

    def _look_ahead(self, step: Step, following: Step | None) -> Split:
        """Take the cut of the next call, if it reads this one's result region by region."""
        default = replace(self.rows, columns=step.width, width=step.width)
        if following is None:
            return default
        split = following.own_split()
        shared = step.writes & following.touches
        if split is None or not shared:
            return default
        if not all(_is_local(following, buffer, split) for buffer in shared):
            return default
        return _adopt(step, split) or default


def lives(phases: Sequence[Phase]) -> list[tuple[Buffer, int, int]]:
    """Return each buffer with the first and the last phase that touches it."""
    found: dict[Buffer, tuple[int, int]] = {}
    for number, phase in enumerate(phases):
        for group in phase:
            for step in group.steps:
                for buffer in step.in_order():
                    first, _ = found.get(buffer, (number, number))
                    found[buffer] = (first, number)
    return [(b, first, last) for b, (first, last) in found.items() if not b.fixed]
