"""The tape: every task once, and no phase before the one before it has ended."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from nnctl.engine import control
from nnctl.engine.intrinsics import view
from nnctl.engine.kernel import Bound, tiles
from nnctl.engine.op import op
from nnctl.engine.tape import Group, pack, run

STEPS, TASKS = 5_000, (1, 7, 2, 16, 5)
WIDE = max(TASKS)


@tiles("out", split=None)
def add_up(before, out, width, task):
    """Each task adds to its number what all tasks of the phase before have."""
    read, written = view(before, width, 0), view(out, WIDE, 0)
    written[task] += read.sum()


def ring(tables: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """A ring of phases, each of which adds to its numbers the sum of those of the one before."""
    phases, rows = [], []
    for k, tasks in enumerate(TASKS):
        bound = {
            "before": Bound("address", words=(tables[k - 1].ctypes.data,)),
            "out": Bound("address", words=(tables[k].ctypes.data,)),
            "width": Bound("int", words=(TASKS[k - 1],)),
        }
        address, words = op(add_up, "float64", bound)
        rows.append(np.array([1, tasks, 1, 1, tasks, *words], dtype=np.int64))
        phases.append([Group(tasks, ((address, rows[-1].ctypes.data),))])
    return pack(phases), rows


def expected(steps: int = STEPS) -> np.ndarray:
    """What the tables of the ring hold after so many steps."""
    tables = np.ones((len(TASKS), WIDE), dtype=np.int64)
    for _ in range(steps):
        for k, tasks in enumerate(TASKS):
            tables[k, :tasks] += tables[k - 1, : TASKS[k - 1]].sum()
    return tables


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_every_task_runs_once_and_phases_follow_each_other(threads: int) -> None:
    tables = np.ones((len(TASKS), WIDE), dtype=np.int64)
    words, rows = ring(tables)
    memory = np.zeros(control.WORDS, dtype=np.int64)
    memory[control.LIVE // 8] = 1

    def work(slot: int) -> None:
        run(memory.ctypes.data, words.ctypes.data, STEPS, slot, threads)

    others = [threading.Thread(target=work, args=(slot,)) for slot in range(threads)]
    for one in others:
        one.start()
    for one in others:
        one.join(60)
    assert np.array_equal(tables, expected())
    assert len(rows) == len(TASKS)  # the tape points at them


def test_a_phase_has_as_many_tasks_as_a_ticket_can_count() -> None:
    with pytest.raises(ValueError, match="a phase of 200000 tasks"):
        pack([[Group(200_000, ())]])
