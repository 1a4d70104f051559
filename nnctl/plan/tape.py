"""Tapes over one arena: phases with addresses filled in, ready to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnctl.engine import tape as engine_tape
from nnctl.engine.arena import Arena, aligned
from nnctl.plan.buffers import Buffer, place
from nnctl.plan.phases import Builder, Phase, lives
from nnctl.plan.shards import row_split
from nnctl.plan.steps import Step


@dataclass
class Draft:
    """A tape before its arena exists."""

    phases: list[Phase]
    capacity: int
    offsets: dict[Buffer, int]
    bytes: int
    scratch: int  # bytes a thread
    work: float  # microseconds on one thread, a rough guess

    @classmethod
    def of(cls, steps: Sequence[Step], capacity: int, width: int, item: int, keep: bool) -> Draft:
        phases = Builder(row_split(capacity, width)).build(steps)
        offsets, size = place(lives(phases), keep_all=keep)
        scratch = max((s.scratch_bytes(item) for s in steps), default=0)
        return cls(phases, capacity, offsets, size, aligned(scratch), sum(map(_work, steps)))

    def room(self, threads: int) -> int:
        """Bytes for activations and every thread's scratch."""
        return self.bytes + self.scratch * threads

    def steps(self) -> Iterator[Step]:
        for phase in self.phases:
            for group in phase:
                yield from group.steps


def _work(step: Step) -> float:
    """Microseconds: 20 ns a call, a nanosecond for what a core does to some 50 products."""
    touched = sum(b.elements for b in step.touches if not b.fixed or step.kernel.checked)
    products = step.kernel.work(step.sizes) if step.kernel.work is not None else 0
    return 0.02 + touched / 4e3 + products / 5e4


class Tape:
    """A packed tape and the argument rows it points at."""

    def __init__(self, draft: Draft, room: Arena, dtype: str, first: Tape | None = None) -> None:
        self.lowering: Any = None
        self.first = first  # makes what this one reads of parameters, when they have changed
        self.made = -1  # the version of the parameters that it was made of
        self.moves = False  # whether it changes what others are made of
        self.room, base = room, room.address
        self.scratch, self.scratch_stride = base + draft.bytes, draft.scratch
        self.dtype = np.dtype(dtype)
        for buffer, offset in draft.offsets.items():
            buffer.address = base + offset
        self.capacity, self.work, self.phases = draft.capacity, draft.work, draft.phases
        compiled = [(step, *step.compile(dtype)) for step in draft.steps()]
        self._rows = np.array([w for _, _, words in compiled for w in words], dtype=np.int64)
        start, at = self._rows.ctypes.data, 0
        pairs: dict[Step, tuple[int, int]] = {}
        for step, address, words in compiled:
            pairs[step] = (address, start + 8 * at)
            at += len(words)
        self._pairs = pairs
        self.words = engine_tape.pack([[self._group(g) for g in p] for p in draft.phases])
        self.address = self.words.ctypes.data

    def _group(self, group) -> engine_tape.Group:  # type: ignore[no-untyped-def]
        return engine_tape.Group(
            group.split.tasks, tuple(self._pairs[step] for step in group.steps)
        )

    def single_steps(self) -> Iterator[tuple[Step, np.ndarray]]:
        """Yield every call with a tape of its own, in order: the same work, one call at a time."""
        for phase in self.phases:
            for group in phase:
                for step in group.steps:
                    one = engine_tape.Group(group.split.tasks, (self._pairs[step],))
                    yield step, engine_tape.pack([[one]])

    def array(self, buffer: Buffer) -> np.ndarray:
        """Return the elements of a buffer of this tape, rows as rows of data columns."""
        letters = {"d": np.float64, "i": np.int64}
        kind = np.dtype(letters.get(buffer.dtype, self.dtype))
        flat = self.room.array(buffer.address - self.room.address, buffer.elements, kind)
        if buffer.kind == "rows":
            return flat.reshape(-1, buffer.ld)[:, : buffer.width]
        return flat
