"""How long nnctl takes to start: medians above a bare interpreter, against what was promised.

``train`` is a whole run of one step, which is more than the first step: it ends with the evaluation
of all parts and a checkpoint on disk. Cold is with nothing compiled yet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from nnctl.errors import NnctlError

ROOT = Path(__file__).resolve().parents[2]
SPEC = "specs/digits_mlp.toml"
RUNS, COLD_RUNS = 7, 1


@dataclass(frozen=True)
class StartRow:
    """Median seconds of a command, without those of a bare interpreter, and the limit.

    ``cpu_seconds`` is what it worked: on a busy machine, the better figure.
    """

    command: str
    seconds: float
    cpu_seconds: float
    limit: float
    runs: int

    @property
    def is_met(self) -> bool:
        """Whether it is fast enough."""
        return self.seconds < self.limit

    def to_json(self) -> dict[str, object]:
        """Return the row as a table."""
        return asdict(self)


Times = tuple[float, float]  # wall and CPU seconds
Note = Callable[[str], None]


def measure(note: Note = lambda text: None) -> list[StartRow]:
    """Return a row for each promise."""
    bare = _medians([_time(["-c", "pass"]) for _ in range(RUNS)])
    note(f"a bare interpreter: {bare[0]:.3f} s")
    if find_spec("scipy") is not None:
        note("scipy is installed, so numba imports it: training starts some 0.3 s later")
    found: list[StartRow] = []

    def add(name: str, limit: float, times: list[Times]) -> None:
        wall, cpu = _medians(times)
        found.append(StartRow(name, wall - bare[0], cpu - bare[1], limit, len(times)))

    for name, arguments, limit in (("--help", ["--help"], 0.25), ("check", ["check", SPEC], 0.35)):
        command = ["-m", "nnctl", *arguments]
        _time(command)  # bytecode is written, files are in memory
        add(name, limit, [_time(command) for _ in range(RUNS)])
    with tempfile.TemporaryDirectory() as folder:
        cold = [_train(Path(folder), f"cold{k}", is_cold=True) for k in range(COLD_RUNS)]
        _train(Path(folder), "first")
        warm = [_train(Path(folder), f"warm{k}") for k in range(RUNS)]
    add("train one step, warm", 1.0, warm)
    add("train one step, cold", 15.0, cold)
    return found


def _medians(times: list[Times]) -> Times:
    return median(wall for wall, _ in times), median(cpu for _, cpu in times)


def _train(folder: Path, name: str, is_cold: bool = False) -> Times:
    """Time a run of one step; a cold one has a cache directory of its own."""
    changes = ["training.max_steps=1", "training.evaluate_every=0"]
    sets = [word for change in changes for word in ("--set", change)]
    command = ["-m", "nnctl", "train", SPEC, *sets, "--run-dir", str(folder / name), "--quiet"]
    cache = folder / f"{name}-cache"
    return _time(command, {"NNCTL_CACHE_DIR": str(cache)} if is_cold else {})


def _time(arguments: list[str], environment: dict[str, str] | None = None) -> Times:
    began, worked = time.perf_counter(), _children()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NnctlError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began, _children() - worked


def _children() -> float:
    """CPU seconds of the processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def text(rows: Sequence[StartRow]) -> str:
    """Return the rows for a person."""
    return "above a bare interpreter:\n" + "\n".join(
        f"{row.command:22s} {row.seconds:7.3f} s ({row.cpu_seconds:.3f} s of CPU), "
        f"limit {row.limit:g} s: {'met' if row.is_met else 'missed'}"
        for row in rows
    )
