"""``events.jsonl``: one JSON object a line, only ever appended to, cut only on resume.

Every line has ``event``, ``epoch`` (finished ones) and ``step``; ``docs`` of the rest are the
fields of the same name in ``train/events.py``:

    started  epochs, steps_per_epoch, samples, time
    epoch    running_loss, gradient_norm, learning_rate, seconds, metrics, penalty, improved
    step     loss, running_loss, gradient_norm, learning_rate        (every ``log_every`` steps)
    finished reason, metrics, restored      stopped reason
    diverged tensor, split, metrics
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from nnctl.files import hint_for_write, os_errors
from nnctl.run.rundir import jsonable
from nnctl.train import events

NAMES: dict[type[events.Event], str] = {
    events.RunStarted: "started",
    events.EpochDone: "epoch",
    events.StepDone: "step",
    events.Finished: "finished",
    events.Stopped: "stopped",
    events.Diverged: "diverged",
}
BLOCK = 1 << 16


def record(event: events.Event) -> dict[str, Any] | None:
    """Return the line of an event, or None for those that are only for the eye."""
    name = NAMES.get(type(event))
    if name is None:
        return None
    # Not asdict: its deep copies would be what a small network's epoch costs most.
    line: dict[str, Any] = {"event": name, **vars(event)}
    if name == "started":
        line["time"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    return line


class EventLog:
    """Appends events to a file, each with one write, so that a kill leaves whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with os_errors(f"cannot write {path}", hint_for_write(path)):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._handle = os.open(path, flags, 0o666)

    def write(self, event: events.Event) -> None:
        """Append an event, if it is one for the file."""
        line = record(event)
        if line is not None:
            text = json.dumps(jsonable(line), allow_nan=False, separators=(",", ":")) + "\n"
            with os_errors(f"cannot write {self.path}", hint_for_write(self.path)):
                os.write(self._handle, text.encode())

    def sync(self) -> None:
        """Make what is written survive a loss of power: called before each checkpoint."""
        with os_errors(f"cannot write {self.path}", hint_for_write(self.path)):
            os.fsync(self._handle)

    def close(self) -> None:
        os.close(self._handle)


def cut(path: Path, epoch: int, step: int) -> None:
    """Remove what happened after a checkpoint, reading backwards: the cost is that of what goes.

    An epoch that ended at ``step`` stays only if the checkpoint knows of its end, since resuming
    from before will tell of it again.
    """
    if not path.exists():
        return
    with os_errors(f"cannot cut {path}", hint_for_write(path)), path.open("r+b") as file:
        for end, text in _lines_backwards(file):
            if _stays(text, epoch, step):
                file.truncate(end)
                break
        else:
            file.truncate(0)
        os.fsync(file.fileno())


def _stays(text: bytes, epoch: int, step: int) -> bool:
    line = _parse(text)
    if line is None or line.get("event") not in ("started", "epoch", "step"):
        return False
    return bool(line["step"] <= step and line["epoch"] <= epoch)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a log; one that a kill left unfinished is passed over."""
    if path.exists():
        with path.open("rb") as file:
            for text in file:
                line = _parse(text)
                if line is not None:
                    yield line


def _parse(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    whole = isinstance(line, dict) and {"event", "epoch", "step"} <= line.keys()
    return line if whole and text.endswith(b"\n") else None


def _lines_backwards(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield (offset of its end, line with its newline) from the last line to the first."""
    position = file.seek(0, os.SEEK_END)
    tail = b""
    while position:
        size = min(BLOCK, position)
        position -= size
        file.seek(position)
        lines = (file.read(size) + tail).splitlines(keepends=True)
        end = position + sum(map(len, lines))
        # The first one may have begun in an earlier block.
        whole, tail = (lines[1:], lines[0]) if position else (lines, b"")
        for line in reversed(whole):
            yield end, line
            end -= len(line)
