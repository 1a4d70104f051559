"""What all tests share: a compiled-code cache of their own, and a limit on every test's time.

The cache is made afresh for each session, so that a session without ``NNCTL_CACHE_DIR`` is cold.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator

import pytest

LIMIT = 240  # seconds; two processes may compile at the same time

_OWN = None
if not os.environ.get("NNCTL_CACHE_DIR"):
    _OWN = os.environ["NNCTL_CACHE_DIR"] = tempfile.mkdtemp(prefix="nnctl-tests-")


def pytest_unconfigure() -> None:
    if _OWN is not None:
        shutil.rmtree(_OWN, ignore_errors=True)


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """End a test that hangs: threads of the engine wait for one another."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(number: int, frame: object) -> None:
        raise TimeoutError(f"the test took more than {LIMIT} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
