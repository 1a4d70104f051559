"""SIGINT and SIGTERM: the first asks training to stop with everything kept, the second ends it.

Before training has begun there is nothing to keep, so one signal is enough.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from nnctl.errors import ExitStatus

STATUS = {"SIGINT": ExitStatus.SIGINT, "SIGTERM": ExitStatus.SIGTERM}
WATCHED = tuple(signal.Signals[name] for name in STATUS)


class StopRequest:
    """Whether training has been asked to stop: called, it names the signal, or gives ""."""

    def __init__(self) -> None:
        self.name = ""
        self.armed = False

    def __call__(self) -> str:
        return self.name

    def arm(self) -> None:
        """From now on a first signal is a request, because somebody looks at it."""
        self.armed = True

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if self.name or not self.armed:
            os._exit(128 + number)
        self.name = signal.Signals(number).name
        # The system ends the process at the next signal, even inside a native call. It never
        # does that to process 1 of a container, which therefore keeps this handler.
        if os.getpid() != 1:
            for watched in WATCHED:
                signal.signal(watched, signal.SIG_DFL)


@contextmanager
def watch() -> Iterator[StopRequest]:
    """Watch for signals inside the block; outside the main thread nothing is watched."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request._receive) for number in WATCHED}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
