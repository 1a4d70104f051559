"""A run directory: its name, its lock, and where everything in it lies.

runs/digits_mlp-001/
  spec.toml       as it was given            resolved.toml   with every default written
  events.jsonl    what happened              summary.json    how it went, and where it stands
  checkpoints/    step-0000000123.safetensors, and the links latest and best
  artifacts/      what reports are made from
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnctl.errors import CheckpointError, UsageError
from nnctl.files import remove_leftovers, write_atomic

ROOT = Path("runs")
STEP_FILE = re.compile(r"step-(\d{10,})\.safetensors")
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RunDir:
    """One run directory. Making the object touches nothing."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def artifacts(self) -> Path:
        return self.path / "artifacts"

    @property
    def latest(self) -> Path:
        return self.checkpoints / "latest.safetensors"

    @property
    def best(self) -> Path:
        return self.checkpoints / "best.safetensors"

    def step_path(self, step: int) -> Path:
        """Return where the checkpoint of a step lies."""
        return self.checkpoints / f"step-{step:010d}.safetensors"

    def steps(self) -> dict[int, Path]:
        """Return the step files by step, ascending."""
        found = {}
        if self.checkpoints.is_dir():
            for path in self.checkpoints.iterdir():
                if match := STEP_FILE.fullmatch(path.name):
                    found[int(match[1])] = path
        return dict(sorted(found.items()))

    def is_run(self) -> bool:
        """Return whether the directory holds a run."""
        return self.checkpoints.is_dir() or (self.path / "summary.json").is_file()

    def summary(self) -> dict[str, Any]:
        """Return summary.json, or {} if there is none that can be read."""
        try:
            content = json.loads((self.path / "summary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Replace summary.json. NaN and Inf become null."""
        content = {"schema_version": SCHEMA_VERSION, **summary}
        self.write("summary.json", json.dumps(jsonable(content), indent=2, sort_keys=True) + "\n")

    def write(self, name: str, text: str) -> None:
        """Replace a text file of the run, atomically."""
        write_atomic(self.path / name, [text.encode()])

    def read(self, name: str) -> str:
        """Return a text file of the run. Raises CheckpointError."""
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CheckpointError(f"cannot read {self.path / name}: {reason}") from error

    def prepare(self) -> None:
        """Make the directories inside, and clear away what a killed writer left."""
        with usage_errors(self.path):
            for folder in (self.path, self.checkpoints):
                folder.mkdir(parents=True, exist_ok=True)
                remove_leftovers(folder)

    def lock(self) -> Lock:
        """Take the run for this process until ``close`` or the end of the process."""
        return Lock(self.path)


class Lock:
    """An exclusive lock on a run directory; the system lets go of it however the process ends."""

    def __init__(self, path: Path) -> None:
        with usage_errors(path):
            self._handle = os.open(path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise UsageError(
                f"another nnctl is at work in {path}",
                "wait for it, stop it, or give this run another --run-dir",
            ) from None
        except OSError as error:
            os.close(self._handle)
            raise UsageError(f"cannot lock {path}: {error.strerror}") from error

    def close(self) -> None:
        """Let others have the run."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def claim(name: str, root: Path = ROOT) -> RunDir:
    """Make the next free ``runs/NAME-NNN``; two processes never get the same."""
    number = max(_numbers(name, root), default=0) + 1
    with usage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        while True:
            path = root / f"{name}-{number:03d}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
                continue
            return RunDir(path)


def create(path: Path) -> RunDir:
    """Make the run directory that was asked for. Raises UsageError if it exists."""
    with usage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir()
        except FileExistsError:
            hint = "--resume auto goes on with the run in it; or name another --run-dir"
            raise UsageError(f"{path} exists already", hint) from None
    return RunDir(path)


def runs(root: Path = ROOT) -> list[RunDir]:
    """Return the runs under ``root``, oldest start first; starts come from their summaries."""
    found = [RunDir(path) for path in root.iterdir()] if root.is_dir() else []
    known = [(str(run.summary().get("started", "")), run.name, run) for run in found]
    return [run for started, _, run in sorted(known, key=lambda row: row[:2]) if started]


def newest(root: Path = ROOT, name: str | None = None) -> RunDir | None:
    """Return the run that was started last, of this spec name if one is given."""
    for run in reversed(runs(root)):
        if name is None or run.summary().get("name") == name:
            return run
    return None


def _numbers(name: str, root: Path) -> Iterator[int]:
    pattern = re.compile(re.escape(name) + r"-(\d{3,})")
    for path in root.iterdir() if root.is_dir() else ():
        if match := pattern.fullmatch(path.name):
            yield int(match[1])


class usage_errors:  # noqa: N801  (reads as a statement: with usage_errors(path): ...)
    """Turn an OSError about a run directory into a UsageError that names it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            reason = error.strerror or str(error)
            raise UsageError(
                f"cannot use {self.path} as a run directory: {reason}",
                "name a directory that can be written, with --run-dir",
            ) from error


def jsonable(value: Any) -> Any:
    """Return ``value`` with NaN and Inf, which JSON lacks, as None, and tuples as lists."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float) and not (abs(value) < float("inf")):
        return None
    return value
