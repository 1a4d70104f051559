"""Threads that run tapes: short calls by those that are awake, long ones by waking all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from nnctl.engine import control
from nnctl.engine.crew import ASLEEP, BUSY, Crew, lead
from nnctl.engine.intrinsics import load_int, relax, store_int
from nnctl.engine.jit import OP, native
from nnctl.engine.tape import Group, pack
from tests.engine.test_tape import TASKS, WIDE, expected, ring

SHARED = (control.TICKET, control.DONE, control.OPENED)


class Ring:
    """A tape whose numbers tell whether every task ran once, in its phase."""

    def __init__(self) -> None:
        self.tables = np.ones((len(TASKS), WIDE), dtype=np.int64)
        self.words, self._rows = ring(self.tables)
        self.memory = np.zeros(control.WORDS, dtype=np.int64)
        self.memory[control.LIVE // 8] = 1
        self.steps = 0

    def call(self, steps: int) -> tuple[int, int, int]:
        """Make ready for a call of so many steps; return what it runs."""
        for word in SHARED:
            self.memory[word // 8] = 0
        self.steps += steps
        return self.memory.ctypes.data, self.words.ctypes.data, steps

    def is_right(self) -> bool:
        return np.array_equal(self.tables, expected(self.steps))


@pytest.fixture(params=[1, 2, 3, 5])
def crew(request: pytest.FixtureRequest) -> Iterator[Crew]:
    made = Crew(request.param)
    yield made
    made.close()


@native(OP)
def note(memory, row, task, slot):
    """Note that a thread ran a task, and take a while."""
    store_int(row + 8 * slot, load_int(row + 8 * slot) + 1)
    for _ in range(50):
        relax()


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end


def test_short_calls_in_any_rhythm(crew: Crew) -> None:
    """Threads are found awake, on their way to sleep and asleep; calls of fewer threads between."""
    one, rng = Ring(), np.random.default_rng(3)
    for k in range(400):
        crew.short(*one.call(int(rng.integers(1, 4))), threads=1 + k % crew.size)
        assert (crew._states != BUSY).all()  # none is left in the tape
        if k % 3 == 0:
            time.sleep(float(rng.choice([0.0, 1e-5, 1e-4, 3e-4, 1e-3])))
    assert one.is_right()


def test_long_calls_between_short_ones(crew: Crew) -> None:
    one = Ring()
    for k in range(100):
        call = crew.long if k % 3 == 1 else crew.short
        call(*one.call(1 + k % 3), threads=crew.size)
    assert one.is_right()


def test_all_take_part_those_that_sleep_too() -> None:
    crew, one, seen = Crew(3), Ring(), np.zeros(3, dtype=np.int64)
    one.words = pack([[Group(9, ((note.address, seen.ctypes.data),))]])

    def call(steps: int) -> bool:
        crew.short(*one.call(steps), threads=3)
        return bool(seen.all())

    _until(lambda: call(20))
    assert seen.sum() == 9 * one.steps
    _until(lambda: crew._states[1] == crew._states[2] == ASLEEP)
    assert not crew.awake
    seen[:] = one.steps = 0
    _until(lambda: call(1000))
    assert seen.sum() == 9 * one.steps
    crew.close()


def test_a_call_does_not_wait_for_a_thread_that_has_not_begun() -> None:
    """It takes back what a thread that sleeps through it was called for."""
    crew, one = Crew(2), Ring()
    _until(lambda: crew._states[1] == ASLEEP)
    lead(crew._lines.address, *one.call(5), 2)  # nobody wakes it
    assert crew._states[1] == ASLEEP
    crew.short(*one.call(5), threads=2)
    assert one.is_right()
    crew.close()


def test_closing_ends_threads_that_are_awake() -> None:
    before = threading.active_count()
    crew, one = Crew(4), Ring()
    crew.short(*one.call(1), threads=4)
    crew.close()
    assert threading.active_count() == before
