"""Threads that run tapes: long calls by waking them, short ones by those that are still awake.

To wake a thread takes as long as a short call (25 us and more), so a thread that has ended one
waits awake for the next, a fraction of a millisecond, and is handed it without Python. The caller
is thread 0 of a short call; what another has not begun when that is through is taken back.

Every thread has a line of words: its state, and what it is to run.
"""

from __future__ import annotations

import numpy as np
from numba import types

from nnctl.engine.arena import ALIGNMENT, Arena
from nnctl.engine.intrinsics import (
    load_acquire,
    load_int,
    replace,
    store_int,
    store_release,
)
from nnctl.engine.jit import entry
from nnctl.engine.tape import WORD, rest, run
from nnctl.engine.threads import Pool, available, release

# states: asleep (or on the way), awake, called when asleep, called when awake, at it
ASLEEP, AWAKE, ROUSED, CALLED, BUSY = range(5)
MEMORY, TAPE, STEPS, THREADS = 8, 16, 24, 32  # bytes, behind the state
LINE = ALIGNMENT
LINGER = 1_000  # turns of waiting for the next call: 0.1 to 0.3 ms
HASTY = 200  # of these, after which a thread that waits lets others have its core


@entry(types.void(WORD, WORD, WORD))
def linger(lines, slot, most):
    """Wait awake for calls and take part in them; go to sleep when none comes for ``most`` turns:
    of 0, when what it was woken for is done."""
    line, turns = lines + LINE * slot, 0
    replace(line, ASLEEP, AWAKE)
    while turns < most or not replace(line, AWAKE, ASLEEP):
        state = load_acquire(line)
        if state == ASLEEP:  # dismissed
            return
        if state != AWAKE and (replace(line, CALLED, BUSY) or replace(line, ROUSED, BUSY)):
            memory, tape = load_int(line + MEMORY), load_int(line + TAPE)
            run(memory, tape, load_int(line + STEPS), slot, load_int(line + THREADS))
            store_release(line, AWAKE)
            turns = 0
        turns = rest(turns, HASTY)


@entry(types.void(WORD, WORD, WORD, WORD, WORD))
def lead(lines, memory, tape, steps, threads):
    """Run a tape as thread 0, with those of the others that are awake."""
    for slot in range(1, threads):
        line = lines + LINE * slot
        store_int(line + MEMORY, memory)
        store_int(line + TAPE, tape)
        store_int(line + STEPS, steps)
        store_int(line + THREADS, threads)
        if not replace(line, AWAKE, CALLED):
            replace(line, ASLEEP, ROUSED)
    run(memory, tape, steps, 0, threads)
    for slot in range(1, threads):
        line, turns = lines + LINE * slot, 0
        if replace(line, CALLED, AWAKE) or replace(line, ROUSED, ASLEEP):
            continue  # it had not begun
        while load_acquire(line) == BUSY:
            turns = rest(turns)


class Crew(Pool):
    """A pool whose threads run tapes."""

    def __init__(self, size: int) -> None:
        self._lines = Arena(LINE * size)
        self._states = self._lines.array(0, LINE // 8 * size, np.int64)[:: LINE // 8]
        self._most = LINGER if size <= available() else 0  # others want these cores
        super().__init__(size)

    @property
    def awake(self) -> bool:
        """Whether all that take part in a short call are awake."""
        return all(state == AWAKE for state in self._states[1:].tolist())

    def short(self, memory: int, tape: int, steps: int, threads: int) -> None:
        """Run so many steps of a tape on the caller's thread and others, woken if need be."""
        for slot in range(1, threads):
            if self._states[slot] == ASLEEP:
                release(self._begin[slot])
        lead(self._lines.address, memory, tape, steps, threads)

    def long(self, memory: int, tape: int, steps: int, threads: int) -> None:
        """The same on threads of the crew; the caller waits and hears signals."""

        def job(slot: int) -> None:
            if slot < threads:
                run(memory, tape, steps, slot, threads)

        self.run(job)

    def _linger(self, slot: int) -> None:
        if slot and not self._busy[slot]:  # the caller is thread 0 of short calls
            linger(self._lines.address, slot, self._most)

    def _dismiss(self, slot: int) -> None:
        self._states[slot] = ASLEEP
