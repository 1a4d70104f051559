"""Help is whole, comes from the files themselves, and is the same for everyone."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.cli._commands import HERE, summaries

from .support import Nnctl

PROMISED = {"train", "resume", "eval", "report", "predict", "check", "show", "verify", "data"}
PROMISED |= {"schema", "explain", "doctor", "warmup"}


def test_every_promised_command_is_there() -> None:
    assert set(summaries()) >= PROMISED


def test_help_lists_every_command_with_its_line(nnctl: Nnctl) -> None:
    ended = nnctl("--help")
    assert (ended.status, ended.err) == (0, "")
    text = " ".join(ended.out.split())
    for name, summary in summaries().items():
        assert summary.endswith("."), name
        assert f"{name} {' '.join(summary.split())}" in text


@pytest.mark.parametrize("name", sorted(summaries()))
def test_help_of_a_command_is_its_docstring(name: str, nnctl: Nnctl) -> None:
    ended = nnctl(name, "--help")
    assert (ended.status, ended.err) == (0, "")
    assert f"Usage: nnctl {name} " in ended.out
    lines = (HERE / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8").split('"""')[1]
    for line in lines.strip().splitlines():
        assert line in ended.out
    assert ended.out.isascii()
    assert nnctl(name, "-h").out == ended.out


def test_what_is_no_command(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text('"""No."""\n\ndef other():\n    pass\n')
    (tmp_path / "_private.py").write_text('"""No."""\n\ndef command():\n    pass\n')
    (tmp_path / "lr_find.py").write_text('"""Find it.\n\nMore."""\n\ndef command():\n    pass\n')
    (tmp_path / "many.py").write_text('"""Do many things."""\n\ngroup = typer.Typer()\n')
    assert summaries(tmp_path) == {"lr-find": "Find it.", "many": "Do many things."}


def test_version(nnctl: Nnctl) -> None:
    from nnctl import __version__

    assert nnctl("--version").out == f"nnctl {__version__}\n"
