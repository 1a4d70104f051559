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
    """Persistent threads that all run one job at a time; the caller only waits.

    The caller waits with a timeout, so that Python handles signals while native code runs. Workers
    sleep between jobs. ``close`` ends them.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._changed = threading.Condition()
        self._job: Callable[[int], None] | None = None
        self._number = 0
        self._left = 0
        self._error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._work, args=(slot,), name=f"nnctl-{slot}", daemon=True)
            for slot in range(size)
        ]
        for thread in self._threads:
            thread.start()

    def run(self, job: Callable[[int], None]) -> None:
        """Run ``job(slot)`` on every thread and wait until all have returned.

        What a signal handler raises meanwhile is raised after that: the threads work on the
        caller's arrays.
        """
        with self._changed:
            self._job, self._left, self._error = job, self.size, None
            self._number += 1
            self._changed.notify_all()
            raised = self._wait()
        if raised is not None:
            raise raised
        if self._error is not None:
            raise self._error

    def _wait(self) -> BaseException | None:
        """Wait until the job is done; return what was raised in this thread on the way."""
        raised = None
        while self._left:
            try:
                self._changed.wait(0.1)
            except BaseException as error:  # noqa: BLE001  raised later
                raised = error
        return raised

    def close(self) -> None:
        """End the threads; the pool cannot be used again."""
        with self._changed:
            self._job = None
            self._number += 1
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, slot: int) -> None:
        seen = 0
        while True:
            with self._changed:
                while self._number == seen:
                    self._changed.wait()
                seen, job = self._number, self._job
            if job is None:
                return
            try:
                job(slot)
            except BaseException as error:  # noqa: BLE001  handed to the caller
                self._error = error
            with self._changed:
                self._left -= 1
                if not self._left:
                    self._changed.notify_all()
