"""Going back to the step before one that failed: a copy of the state, and the calls since.

A step shows that it failed when its update is done. Copying the state before every call would cost
more than it is worth; running the good steps again from an older copy gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Call:
    """A call of train: which batches, from which step, at which learning rates."""

    order: np.ndarray
    start: int
    first_step: int
    rates: np.ndarray


@dataclass
class History:
    """The last copy of the state and the calls that were made since.

    ``state`` returns the live bytes of parameters and slots, ``again`` runs the first steps of a
    call.
    """

    state: Callable[[], np.ndarray]
    again: Callable[[Call, int], object]
    _copy: np.ndarray | None = None
    _calls: list[Call] = field(default_factory=list)

    def begin(self) -> None:
        """Make sure that there is a copy to go back to."""
        if self._copy is None:
            self._take()

    def add(self, call: Call) -> None:
        """Remember a call that went well; take a new copy now and then, rarely if it is large."""
        self._calls.append(call)
        if len(self._calls) >= 8 + (self.state().nbytes >> 20):
            self._take()

    def go_back(self, failed: Call, done: int) -> None:
        """Restore the state before step ``done`` of the call that failed."""
        if self._copy is None:
            return
        self.state()[:] = self._copy
        for call in self._calls:
            self.again(call, len(call.rates))
        if done:
            self.again(failed, done)
        self._take()

    def forget(self) -> None:
        """The state was changed from outside."""
        self._copy = None
        self._calls.clear()

    def _take(self) -> None:
        self._copy = self.state().copy()
        self._calls.clear()
