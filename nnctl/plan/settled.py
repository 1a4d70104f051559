"""What an evaluation makes of parameters alone, done when they have changed and not with each call.

Windows at their points, weights turned, folded or packed, products with an embedding's table: calls
that read parameters, states and constants, and each other, and nothing of the samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from nnctl.engine.arena import Arena
from nnctl.plan.buffers import Buffer
from nnctl.plan.steps import Flat, Rate, Step, Table
from nnctl.plan.tape import Draft, Tape

MOST = 1 << 26  # bytes of what a tape keeps so
# what a kernel may ask for by name that is another in the next step
MOVING = {"live", "inverse_live", "step", "seed", "index", "memory", "order", "position"}


def settle(steps: Sequence[Step], known: Collection[Buffer]) -> tuple[list[Step], list[Step]]:
    """Part the calls of a tape: those that depend on ``known`` alone, and the others."""
    writers = Counter(buffer for step in steps for buffer in step.writes)
    settled: set[Buffer] = {buffer for buffer in known if not writers[buffer]}
    first, rest, left = [], [], MOST
    for step in steps:
        made = step.writes
        size = sum(buffer.bytes for buffer in made)
        own = all(writers[buffer] == 1 and not buffer.fixed for buffer in made)
        if made and own and size <= left and _reads_only(step, settled):
            first.append(step)
            settled |= made
            left -= size
        else:
            rest.append(step)
    return first, rest


def settled_tape(draft: Draft, threads: int, dtype: str) -> Tape:
    """The tape of what is made of parameters alone, whose results stay where they are."""
    tape = Tape(draft, Arena(draft.room(threads)), dtype)
    for buffer in draft.offsets:
        buffer.fixed = True
    return tape


def _reads_only(step: Step, settled: set[Buffer]) -> bool:
    split = step.own_split()
    by_samples = split is None or split.limit < 0
    moving = not MOVING.isdisjoint(set(step.kernel.arguments) - step.values.keys())
    elsewhere = any(isinstance(value, Table | Rate | Flat) for value in step.values.values())
    return not (by_samples or moving or elsewhere) and step.reads <= settled
