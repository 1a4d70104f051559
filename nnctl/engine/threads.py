"""How many threads this process may use, and the threads themselves.

The count is the least of the CPUs it may run on, its cgroup's quota, and what was asked for; a
quota that is ignored makes waiting threads eat the time of working ones.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from nnctl.errors import UsageError

_ROOT = Path("/sys/fs/cgroup")


def _quota_v2(root: Path, group: str) -> float | None:
    """The tightest cpu.max from the process's group up to the root, in CPUs."""
    found = []
    at = root / group.lstrip("/")
    while True:
        try:
            quota, period = (at / "cpu.max").read_text().split()[:2]
            if quota != "max":
                found.append(int(quota) / int(period))
        except (OSError, ValueError):
            pass
        if at == root or root not in at.parents:
            return min(found, default=None)
        at = at.parent


def _quota_v1(root: Path, group: str) -> float | None:
    for at in (root / "cpu" / group.lstrip("/"), root / "cpu"):
        try:
            quota = int((at / "cpu.cfs_quota_us").read_text())
            period = int((at / "cpu.cfs_period_us").read_text())
        except (OSError, ValueError):
            continue
        if quota > 0 and period > 0:
            return quota / period
    return None


def cgroup_quota(root: Path = _ROOT, membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """Return the CPU quota of this process's cgroup (version 1 or 2) in CPUs, or None."""
    groups = {}
    try:
        for line in membership.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            groups[controllers] = path
    except (OSError, ValueError):
        return None
    quota = _quota_v2(root, groups[""]) if "" in groups else None
    for controllers, path in groups.items():
        if quota is None and "cpu" in controllers.split(","):
            quota = _quota_v1(root, path)
    return quota


def available() -> int:
    """Return how many threads this process may usefully run."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    quota = cgroup_quota()
    return max(1, min(count, int(quota))) if quota is not None else max(1, count)


def count(asked: int | None) -> int:
    """Return the number of threads to run: ``asked`` (1 to 1024), or all that are available."""
    if asked is None:
        return available()
    if not 1 <= asked <= 1024:
        raise UsageError(f"--threads {asked}: expected a number from 1 to 1024")
    return asked


class Pool:
    """Persistent threads that all run one job at a time, and sleep between jobs.

    The caller waits with a timeout, so that Python handles signals while native code runs.
    ``close`` ends them.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._job: Callable[[int], None] | None = None
        self._error: BaseException | None = None
        self._busy, self._closed = [False] * size, False
        self._begin, self._ended = _taken(size), _taken(size)
        self._threads = [
            threading.Thread(target=self._work, args=(slot,), name=f"nnctl-{slot}", daemon=True)
            for slot in range(size)
        ]
        for thread in self._threads:
            thread.start()

    def run(self, job: Callable[[int], None]) -> None:
        """Run ``job(slot)`` on every thread, and wait until all have returned.

        What a signal handler raises meanwhile is raised after that: the threads work on the
        caller's arrays.
        """
        self._job, self._error = job, None
        raised, left = None, list(range(self.size))
        while left:
            try:
                self._busy[left[-1]] = True
                self._dismiss(left[-1])
                release(self._begin[left[-1]])
                left.pop()
            except BaseException as error:  # noqa: BLE001  raised later
                raised = error
        for slot in range(self.size):
            raised = self._wait(slot) or raised
        if raised is not None:
            raise raised
        if self._error is not None:
            raise self._error

    def _wait(self, slot: int) -> BaseException | None:
        """Wait until a thread is done; return what was raised in this thread on the way."""
        raised = None
        while self._busy[slot]:
            try:
                self._ended[slot].acquire(timeout=0.1)
            except BaseException as error:  # noqa: BLE001  raised later
                raised = error
        return raised

    def close(self) -> None:
        """End the threads; the pool cannot be used again."""
        self._closed = True
        for slot in range(self.size):
            self._dismiss(slot)
            release(self._begin[slot])
        for thread in self._threads:
            thread.join()

    def _linger(self, slot: int) -> None:
        """What a thread does before it goes to sleep."""

    def _dismiss(self, slot: int) -> None:
        """End what a thread does before it goes to sleep."""

    def _work(self, slot: int) -> None:
        while True:
            self._linger(slot)
            self._begin[slot].acquire()
            if self._closed:
                return
            if self._job is None or not self._busy[slot]:
                continue  # woken for what comes while it lingers
            try:
                self._job(slot)
            except BaseException as error:  # noqa: BLE001  handed to the caller
                self._error = error
            self._busy[slot] = False
            release(self._ended[slot])  # the caller may have been called away as it took it


def release(lock: threading.Lock) -> None:
    """Release a lock; nothing, where it has been released and not been taken since."""
    if lock.locked():
        lock.release()


def _taken(count: int) -> list[threading.Lock]:
    """Locks that are taken: whoever takes one again waits until it is released."""
    locks = [threading.Lock() for _ in range(count)]
    for lock in locks:
        lock.acquire()
    return locks
