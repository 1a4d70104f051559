"""Fixtures to run command lines in this process, and a spec to run them on."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nnctl.cli import _commands
from nnctl.cli.app import run

GOOD = """
[data]
source = "iris"

[[layers]]
type = "dense"
units = 8
activation = "tanh"

[[layers]]
type = "dense"
units = 3

[loss]
type = "cross_entropy"
"""


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


Nnctl = Callable[..., Ended]


@pytest.fixture
def nnctl(capsys: pytest.CaptureFixture[str]) -> Nnctl:
    """Run a command line in this process."""

    def call(*arguments: str | Path) -> Ended:
        status = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return call


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec without a mistake."""
    path = tmp_path / "good.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def fake_command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Make a function the command ``nnctl fake``."""

    def install(function: Callable[..., Any]) -> None:
        module = ModuleType("nnctl.cli.fake", "Do as the test says.")
        module.command = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "nnctl.cli.fake", module)
        monkeypatch.setattr(_commands, "summaries", lambda: {"fake": "Do as the test says."})

    return install
