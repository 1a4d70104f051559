"""How many threads: CPUs, the cgroup's quota (versions 1 and 2), and what was asked for."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from nnctl.engine import threads
from nnctl.errors import UsageError


def membership(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "cgroup"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


class TestVersion2:
    def quota(self, tmp_path: Path, group: str = "/a/b", **files: str) -> float | None:
        root = tmp_path / "fs"
        root.mkdir()
        for path, text in files.items():
            write(root, path.replace("__", "/") + "/cpu.max", text)
        return threads.cgroup_quota(root, membership(tmp_path, f"0::{group}"))

    def test_own_group(self, tmp_path: Path) -> None:
        assert self.quota(tmp_path, a__b="150000 100000\n") == 1.5

    def test_tightest_of_all_above(self, tmp_path: Path) -> None:
        assert self.quota(tmp_path, a__b="400000 100000\n", a="200000 100000\n") == 2.0

    def test_none_is_max(self, tmp_path: Path) -> None:
        assert self.quota(tmp_path, a__b="max 100000\n") is None

    def test_no_file(self, tmp_path: Path) -> None:
        assert self.quota(tmp_path) is None

    def test_in_a_container_the_root_is_the_group(self, tmp_path: Path) -> None:
        root = tmp_path / "fs"
        write(root, "cpu.max", "50000 100000\n")
        assert threads.cgroup_quota(root, membership(tmp_path, "0::/")) == 0.5

    def test_garbage_is_no_quota(self, tmp_path: Path) -> None:
        assert self.quota(tmp_path, a__b="lots\n") is None


class TestVersion1:
    def quota(self, tmp_path: Path, quota: str, where: str = "cpu/docker/x") -> float | None:
        root = tmp_path / "fs"
        write(root, f"{where}/cpu.cfs_quota_us", quota)
        write(root, f"{where}/cpu.cfs_period_us", "100000\n")
        lines = ("12:pids:/docker/x", "4:cpu,cpuacct:/docker/x", "1:name=systemd:/docker/x")
        return threads.cgroup_quota(root, membership(tmp_path, *lines))

    def test_own_group(self, tmp_path: Path) -> None:
        assert self.quota(tmp_path, "250000\n") == 2.5

    def test_none_is_minus_one(self, tmp_path: Path) -> None:
        assert self.quota(tmp_path, "-1\n") is None

    def test_in_a_container_the_root_is_the_group(self, tmp_path: Path) -> None:
        assert self.quota(tmp_path, "100000\n", "cpu") == 1.0

    def test_both_versions_mounted(self, tmp_path: Path) -> None:
        """Hybrid: an empty version 2 group does not hide the quota of version 1."""
        root = tmp_path / "fs"
        write(root, "cpu/x/cpu.cfs_quota_us", "300000\n")
        write(root, "cpu/x/cpu.cfs_period_us", "100000\n")
        path = membership(tmp_path, "0::/x", "3:cpu:/x")
        assert threads.cgroup_quota(root, path) == 3.0


def test_no_cgroups_at_all(tmp_path: Path) -> None:
    assert threads.cgroup_quota(tmp_path, tmp_path / "none") is None


@pytest.mark.parametrize(
    ("cpus", "quota", "wanted"),
    [(8, None, 8), (8, 2.5, 2), (2, 6.0, 2), (8, 0.5, 1), (1, None, 1)],
)
def test_available(cpus: int, quota: float | None, wanted: int, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cpus)), raising=False)
    monkeypatch.setattr(threads, "cgroup_quota", lambda: quota)
    assert threads.available() == wanted
    assert threads.count(None) == wanted


def test_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available", lambda: 2)
    assert threads.count(4) == 4
    for wrong in (0, -1, 1025):
        with pytest.raises(UsageError, match=f"--threads {wrong}: expected a number from 1 to"):
            threads.count(wrong)


class TestPool:
    def test_runs_once_on_every_thread(self) -> None:
        pool = threads.Pool(3)
        seen = []
        for _ in range(50):
            pool.run(seen.append)
        pool.close()
        assert sorted(seen) == sorted([0, 1, 2] * 50)

    def test_an_error_reaches_the_caller_and_the_pool_lives_on(self) -> None:
        pool = threads.Pool(2)

        def job(slot: int) -> None:
            if slot == 1:
                raise ValueError("of slot 1")

        with pytest.raises(ValueError, match="of slot 1"):
            pool.run(job)
        seen: list[int] = []
        pool.run(seen.append)
        pool.close()
        assert sorted(seen) == [0, 1]

    def test_closing_ends_the_threads(self) -> None:
        before = threading.active_count()
        pool = threads.Pool(4)
        assert threading.active_count() == before + 4
        pool.close()
        assert threading.active_count() == before

    def test_the_main_thread_stays_interruptible(self) -> None:
        """The caller waits in short portions, so a signal's handler runs while a job does."""
        pool = threads.Pool(1)
        ended: list[bool] = []
        heard: list[bool] = []
        before = signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(bool(ended)))

        def job(slot: int) -> None:
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.5)
            ended.append(True)

        try:
            pool.run(job)
        finally:
            signal.signal(signal.SIGUSR1, before)
            pool.close()
        assert heard == [False]

    def test_what_a_handler_raises_comes_after_the_job(self) -> None:
        """The job works on arrays of the caller, who must not be gone before it."""
        pool = threads.Pool(2)
        ended: list[int] = []

        def interrupt(number: int, frame: object) -> None:
            raise KeyboardInterrupt

        def job(slot: int) -> None:
            if not slot:
                os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.3)
            ended.append(slot)

        before = signal.signal(signal.SIGUSR1, interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                pool.run(job)
            assert sorted(ended) == [0, 1]
        finally:
            signal.signal(signal.SIGUSR1, before)
        pool.run(ended.append)
        assert sorted(ended) == [0, 0, 1, 1]
        pool.close()

    def test_an_interrupt_while_threads_are_called_comes_after_the_job(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """All are called nevertheless, so that none is left with the job for later."""
        pool, ended = threads.Pool(3), list[int]()
        real, called = threads.release, list[int]()

        def release(lock: threading.Lock) -> None:
            called.append(1)
            if len(called) == 2:
                raise KeyboardInterrupt
            real(lock)

        monkeypatch.setattr(threads, "release", release)
        with pytest.raises(KeyboardInterrupt):
            pool.run(ended.append)
        assert sorted(ended) == [0, 1, 2]
        monkeypatch.setattr(threads, "release", real)
        pool.close()
