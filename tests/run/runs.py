"""Small real runs for the tests of sessions: a spec, ways to stop one, and the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from nnctl.run import session
from nnctl.run.training import Terms
from nnctl.train import events

# 120 training samples in batches of 32: three full ones and one of 24 an epoch.
SPEC = """
name = "little"

[data]
source = { generate = "spirals", samples = 200, noise = 0.1, seed = 3 }
split = { train = 0.75, test = 0.25, validation = 0.2 }
normalize = "standard"

[[layers]]
type = "dense"
units = 8
activation = "relu"

[[layers]]
type = "dropout"
rate = 0.3

[[layers]]
type = "dense"
units = 2

[loss]
type = "cross_entropy"

[optimizer]
type = "adam"
learning_rate = 0.02

[training]
epochs = 4
batch_size = 32
seed = 5

[checkpoint]
keep = 100
every_epochs = 1
"""


def write_spec(folder: Path, *changes: tuple[str, str], name: str = "little.toml") -> Path:
    """Write SPEC with some texts replaced."""
    text = SPEC
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def train(spec: Path, run_dir: Path | None, *overrides: str, auto: bool = False, **terms):
    """Train in this process; returns the Outcome."""
    return session.train(spec, overrides, run_dir=run_dir, resume_auto=auto, terms=Terms(**terms))


def stopping_at(step: int, name: str = "SIGTERM") -> dict[str, object]:
    """Return terms of a session that is asked to stop when ``step`` steps are done or more."""
    from nnctl.run.signals import StopRequest

    request = StopRequest()

    def on_event(event: events.Event) -> None:
        if isinstance(event, events.Progress) and event.step >= step:
            request.name = name

    return {"request": request, "on_event": on_event}


def final(run_dir: Path) -> bytes:
    """Return the bytes of the newest checkpoint."""
    return (run_dir / "checkpoints" / "latest.safetensors").read_bytes()


def command(*arguments: object) -> list[str]:
    """Return the command line of ``nnctl ...``."""
    return [sys.executable, "-m", "nnctl", *map(str, arguments)]


def environment() -> dict[str, str]:
    """Return the environment in which ``nnctl`` is found from any directory."""
    root = str(Path(__file__).parents[2])
    return {**os.environ, "PYTHONPATH": root, "NO_COLOR": "1"}


def nnctl(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=120
    )
