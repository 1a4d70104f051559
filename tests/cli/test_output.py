"""What is printed, where, and that a stream that fails never hides how a command ended."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnctl.cli.output import Output, encoded
from nnctl.cli.table import table
from nnctl.errors import DataError, NnctlError, Problem

ROOT = Path(__file__).parents[2]
DATA_LIST = [sys.executable, "-m", "nnctl", "data", "list"]
GATE_FAILS = """
import sys
from nnctl.cli.app import run
from nnctl.cli.output import Output
from nnctl.errors import GateError
out = Output()
for _ in range(100000):
    out.text("x" * 100)
out.note("still here")
status = out.failure(GateError("gate not met"))
Output.close()
sys.exit(status)
"""


def _shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env={**os.environ, **environment, "PY": sys.executable},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_a_reader_that_leaves_neither_crashes_nor_hides_the_verdict(tmp_path: Path) -> None:
    script = tmp_path / "gate.py"
    script.write_text(GATE_FAILS, encoding="utf-8")
    command = f'PYTHONPATH=. "$PY" {script} | head -1 >/dev/null; echo "${{PIPESTATUS[0]}}"'
    ended = _shell(command)
    assert ended.stdout == "5\n"
    assert ended.stderr == "still here\nerror: gate not met\n"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "</dev/null >/dev/null 2>&1"])
def test_closed_streams(closed: str) -> None:
    ended = _shell(f'( "$PY" -m nnctl data list {closed} ); s=$?; echo "$s"')
    assert ended.stdout.splitlines()[-1] == "0"
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said() -> None:
    ended = _shell('"$PY" -m nnctl data list >/dev/full; echo $?')
    assert ended.stdout == "1\n"
    assert ended.stderr == (
        "error: cannot write to standard output: No space left on device\n  is the disk full?\n"
    )


def test_a_terminal_that_cannot_encode(tmp_path: Path) -> None:
    path = tmp_path / "schön.toml"
    path.write_text("", encoding="utf-8")
    ended = _shell(f'"$PY" -m nnctl check {path}; echo $?', PYTHONIOENCODING="ascii")
    assert ended.stdout == "2\n"
    assert "sch\\xf6n.toml" in ended.stderr
    assert "internal error" not in ended.stderr


def test_half_a_character_is_said_and_loses_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "utf-8", "surrogateescape")
    monkeypatch.setattr(sys, "stdout", stream)
    for write in (Output().text, encoded):
        with pytest.raises(NnctlError, match=r"holds U\+D800, half of a character") as caught:
            write("a,b\ud800")
        assert caught.value.status == 1 and "--format jsonl" in caught.value.problems[0].hint
        write("name\udcff")
    assert raw.getvalue() == encoded("name\udcff") + b"\n"


def test_results_are_utf8_in_every_locale(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,kind\n1,grün\n2,rot\n3,rot\n4,grün\n", encoding="utf-8")
    command = f'"$PY" -m nnctl data info {path} --target kind'
    plain = _shell(command)
    assert "grün, rot" in plain.stdout
    assert _shell(command, PYTHONIOENCODING="latin-1").stdout == plain.stdout


def test_output_depends_on_neither_width_nor_locale() -> None:
    def printed(**environment: str) -> str:
        return _shell('"$PY" -m nnctl data list; "$PY" -m nnctl --help', **environment).stdout

    narrow = printed(COLUMNS="20", LC_ALL="C", TERM="dumb")
    assert narrow == printed(COLUMNS="300", LC_ALL="C.UTF-8", TERM="xterm-256color")


def test_documents_are_ascii_and_finite(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"name": "é", "loss": float("nan"), "list": (float("inf"), 1.5), 3: None}
    Output(json=True).document(value)
    out = capsys.readouterr().out
    assert out.isascii()
    assert json.loads(out) == {
        "schema_version": 1,
        "name": "é",
        "loss": None,
        "list": [None, 1.5],
        "3": None,
    }


def test_text_or_document(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (False, True):
        out = Output(json=as_json)
        out.text("text")
        out.document({"a": 1})
        printed = capsys.readouterr().out
        assert ("text" in printed) != as_json
        assert ('"a": 1' in printed) == as_json


def test_quiet_silences_progress_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(quiet=True)
    out.note("progress")
    out.status("progress")
    out.warn("warning: look")
    out.text("result")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("result\n", "warning: look\n")


def test_color_only_on_a_terminal_without_no_color(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Output().warn("warning: a")
    assert capsys.readouterr().err == "warning: a\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    Output().warn("warning: a")
    assert capsys.readouterr().err == "\x1b[33mwarning:\x1b[0m a\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    Output().warn("warning: a")
    assert capsys.readouterr().err == "warning: a\n"


def test_status_lines_are_for_terminals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Output().status("step 1")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    out = Output()
    out.status("step 1")
    out.note("done")
    assert capsys.readouterr().err == "\r\x1b[Kstep 1\r\x1b[Kdone\n"


def test_table() -> None:
    rows = [("a", "1,000", "x"), ("longer", "7", "")]
    assert table(("name", "n", "note"), rows, "lrl") == (
        "name        n  note\n------  -----  ----\na       1,000  x\nlonger      7"
    )


def test_a_remedy_that_files_share_is_said_once_after_them(capsys):
    files = [Problem("broken", "copy it again", file=name) for name in ("a.png", "b.png")]
    keys = [Problem("unknown", "remove it", file="a.toml", line=k, path=f"x{k}") for k in (1, 2)]
    other = Problem("torn", "mend it", file="c.png")
    Output().complain([*files, other, *keys])
    expected = (
        "a.png: broken\nb.png: broken\n  copy it again\nc.png: torn\n  mend it\n"
        "a.toml:1:0: x1: unknown\n  remove it\na.toml:2:0: x2: unknown\n  remove it\n"
    )
    assert capsys.readouterr().err == expected
    assert str(DataError([*files, other, *keys])) + "\n" == expected
    Output().complain([])
    assert capsys.readouterr().err == ""
