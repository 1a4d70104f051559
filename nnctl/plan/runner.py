"""Running tapes: the words of a call, the threads, and the choice of how many are worth waking."""

from __future__ import annotations

import numpy as np

from nnctl.engine import control
from nnctl.engine.crew import Crew
from nnctl.engine.tape import run
from nnctl.plan.memory import Memory
from nnctl.plan.tape import Tape

SHORT_CALL = 2_000.0  # microseconds; the main thread does its part of a shorter call
PHASE = 2.0  # microseconds; of shorter phases a barrier costs more than a second thread brings
WAKING = 60.0  # microseconds; a call that is shorter has ended before a second thread is awake
JOINING = 20.0  # microseconds; of shorter calls threads that are awake would do too little


class Runner:
    """Runs tapes over one memory on ``threads`` threads; see ``engine/crew.py``."""

    def __init__(self, memory: Memory, threads: int, seed: int) -> None:
        self.memory, self.threads, self.seed = memory, threads, seed
        self._crew: Crew | None = None

    def set_call(
        self,
        tape: Tape,
        order: np.ndarray,
        steps: np.ndarray,
        losses: np.ndarray,
        norms: np.ndarray,
        first_step: int,
    ) -> None:
        """Fill in the control words: ``steps`` holds (start, live) of each batch, int64."""
        tables = (order, steps, losses, norms)
        addresses = [table.ctypes.data for table in tables]
        self.memory.set_words(control.STEP, [first_step - 1, -1, 0, *addresses])
        self.memory.set_words(control.SEED, [self.seed, tape.scratch, tape.scratch_stride])
        for word in (control.TICKET, control.DONE, control.OPENED):
            self.memory.set_word(word, 0)

    def set_rates(self, table: np.ndarray) -> None:
        """Point the tape at the step-dependent scalars, a row a step; the caller keeps them."""
        self.memory.set_word(control.RATES, table.ctypes.data)
        self.memory.set_word(control.RATES_WIDTH, table.shape[1])

    def run(
        self,
        tape: Tape,
        order: np.ndarray,
        starts: np.ndarray,
        live: np.ndarray,
        losses: np.ndarray,
        norms: np.ndarray | None = None,
        first_step: int = 0,
    ) -> bool:
        """Run a step of ``tape`` for each start; say whether one met a number that is not finite.

        ``losses`` (and ``norms``) float64 (steps,) receive the mean loss of each batch.
        """
        if tape.first is not None and tape.made != self.memory.version:
            none, whole = np.zeros(1), np.full(1, tape.first.capacity)
            self.run(tape.first, none, none, whole, none)
            tape.made = self.memory.version
        order = np.ascontiguousarray(order, dtype=np.int64)
        steps = np.empty((len(starts), 2), dtype=np.int64)
        steps[:, 0], steps[:, 1] = starts, live
        norms = np.empty(len(steps)) if norms is None else norms
        self.set_call(tape, order, steps, losses, norms, first_step)
        self.memory.version += tape.moves
        self._go(tape, len(steps), float(live.sum()) / (len(steps) * tape.capacity))
        return bool(self.memory.word(control.FAILED))

    @property
    def index(self) -> int:
        """The step at which the last call ended."""
        return self.memory.word(control.INDEX)

    def worth_waking(self, tape: Tape, share: float = 1.0) -> int:
        """Return how many threads a step of ``tape`` is run on."""
        return 1 if tape.work * share < PHASE * len(tape.phases) else self.threads

    def _go(self, tape: Tape, steps: int, share: float) -> None:
        """``share``: how full the batches are; a nearly empty one is soon done."""
        base, address = self.memory.address, tape.address
        work = tape.work * share * steps
        threads = self.worth_waking(tape, share) if work > self._least() else 1
        if work >= SHORT_CALL:
            self._threads().long(base, address, steps, threads)
        elif threads > 1:
            self._threads().short(base, address, steps, threads)
        else:
            run(base, address, steps, 0, 1)

    def _least(self) -> float:
        """Microseconds of a call from which on a second thread is worth it."""
        return JOINING if self._crew is not None and self._crew.awake else WAKING

    def _threads(self) -> Crew:
        if self._crew is None:
            self._crew = Crew(self.threads)
        return self._crew

    def close(self) -> None:
        """End the threads."""
        if self._crew is not None:
            self._crew.close()
            self._crew = None
