"""Taking the time of a training step: as a whole, and call by call on one thread.

All steps are taken at a learning rate of zero, so that the parameters stay what they are: kernels
do the same work whatever the numbers.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from nnctl.engine import control
from nnctl.engine.tape import pack, run
from nnctl.plan.steps import Step

if TYPE_CHECKING:
    from nnctl.plan.plan import Plan

EMPTY_RUNS = 200


class Timer:
    """The steps of a plan's training tape on the attached split ``train``.

    ``order`` holds rows for whole batches, as many as the longest call of ``steps`` needs.
    """

    def __init__(self, plan: Plan, order: np.ndarray) -> None:
        self.plan = plan
        self.order = np.ascontiguousarray(order, dtype=np.int64)
        self.tape = plan.tapes.train()
        singles = list(self.tape.single_steps())
        self.calls: list[Step] = [step for step, _ in singles]
        self._words = [words for _, words in singles]  # kept alive: the addresses point into them
        self._addresses = [words.ctypes.data for words in self._words]
        self._losses = np.zeros(len(self.order) // plan.batch)
        self._norms = np.zeros_like(self._losses)

    @property
    def threads(self) -> int:
        """On how many threads a whole step runs: a very short one on a single one."""
        return self.plan.runner.worth_waking(self.tape)

    @property
    def failed(self) -> bool:
        """Whether the last steps met a number that is not finite, and ended early."""
        return bool(self.plan.memory.word(control.FAILED))

    def whole(self, steps: int) -> float:
        """Return the seconds of so many steps as training takes them."""
        began = perf_counter()
        self.plan.train(self.order, 0, 0, np.zeros(steps))
        return perf_counter() - began

    def alone(self, steps: int) -> float:
        """Return the seconds of so many steps on one thread."""
        table = self._begin(steps)
        began = perf_counter()
        run(self.plan.memory.address, self.tape.address, steps, 0, 1)
        spent = perf_counter() - began
        del table  # the tape reads it until here
        return spent

    def by_call(self) -> np.ndarray:
        """Return the seconds of every call of one step, in the order of ``calls``."""
        table = self._begin(1)
        memory, found = self.plan.memory.address, np.empty(len(self._addresses))
        for i, address in enumerate(self._addresses):
            began = perf_counter()
            run(memory, address, 1, 0, 1)
            found[i] = perf_counter() - began
        del table
        return found

    def overhead(self) -> float:
        """Return the seconds that ``by_call`` adds to each call: those of a tape of nothing."""
        words = pack([])
        memory, address = self.plan.memory.address, words.ctypes.data
        found = np.empty(EMPTY_RUNS)
        for i in range(EMPTY_RUNS):
            began = perf_counter()
            run(memory, address, 1, 0, 1)
            found[i] = perf_counter() - began
        return float(np.median(found))

    def _begin(self, steps: int) -> np.ndarray:
        """Point the tape at its data and at a table of rates, which the caller keeps."""
        plan = self.plan
        plan.use("train", labeled=True)
        table = plan.tapes.rate_table(0, np.zeros(steps))
        plan.runner.set_rates(table)
        starts = plan.batch * np.arange(steps, dtype=np.int64)
        self._steps = np.stack([starts, np.full_like(starts, plan.batch)], axis=1)
        plan.memory.version += 1  # running statistics move
        plan.runner.set_call(self.tape, self.order, self._steps, self._losses, self._norms, 0)
        return table
