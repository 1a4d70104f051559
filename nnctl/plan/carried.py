"""States that go on from batch to batch: where they begin again, and what must leave them alone.

In training they are part of the state, and begin from zeros with an epoch. Evaluation has its own,
a row of them: rows of a split that follow each other are one stream, also over several calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from nnctl.plan.buffers import Buffer
from nnctl.plan.layout import Zone
from nnctl.plan.memory import Memory


class Carried:
    """The carried states of a plan; all of this is nothing where no layer has any."""

    def __init__(
        self, names: Iterable[str], kept: Zone, memory: Memory, passing: Iterable[Buffer]
    ) -> None:
        self._names, self._kept, self._memory = tuple(names), kept, memory
        self._passing = tuple(passing)
        self._at: tuple[object, int] | None = None

    def _arrays(self) -> list[np.ndarray]:
        zone = self._memory.zone("kept")
        return [self._kept.part(name, zone) for name in self._names]

    def begin(self, start: int) -> None:
        """A step of training from row ``start`` of the order is next: 0 is a new epoch."""
        self.forget()
        for array in self._arrays() if start == 0 else ():
            array[:] = 0

    def forget(self) -> None:
        """Nothing evaluated so far is gone on from."""
        self._at = None

    def begin_passing(self) -> None:
        """Evaluation begins from zeros."""
        self.forget()
        for buffer in self._passing:
            self._memory.constant(buffer)[:] = 0

    def runs(self, what: object, order: np.ndarray) -> Iterator[tuple[int, int]]:
        """Yield where each stream of rows starts and ends in ``order``, as it is to be run by
        ``what``: one tape on one split."""
        if not self._passing:
            yield 0, len(order)
            return
        cuts = [0, *(np.flatnonzero(np.diff(order) != 1) + 1).tolist(), len(order)]
        for first, end in zip(cuts, cuts[1:], strict=False):
            if self._at != (what, int(order[first])):
                self.begin_passing()
            yield first, end
            self._at = what, int(order[end - 1]) + 1

    @contextmanager
    def from_zeros(self) -> Iterator[None]:
        """Look at a step as if it were the first of an epoch, and leave the states as they are."""
        saved = [array.copy() for array in self._arrays()]
        for array in self._arrays():
            array[:] = 0
        try:
            yield
        finally:
            for array, values in zip(self._arrays(), saved, strict=True):
                array[:] = values
