"""Every way to fail ends in a text, a JSON document if asked for, and the documented exit code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
import typer

from nnctl import errors
from nnctl.cli._options import Json
from nnctl.errors import ExitStatus, Problem

from .support import Nnctl

Install = Callable[[Callable[..., Any]], None]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.UsageError, 2),
        (errors.SpecError, 2),
        (errors.DataError, 3),
        (errors.DivergedError, 4),
        (errors.GateError, 5),
        (errors.CheckpointError, 6),
    ],
)
def test_exit_codes(
    kind: type[errors.NnctlError], status: int, nnctl: Nnctl, fake_command: Install
) -> None:
    def command(json: Json = False) -> None:
        raise kind(
            [
                Problem("first", "do this\nor that", "a.toml", 3, 7, "layers.0.units"),
                Problem("second"),
            ]
        )

    fake_command(command)
    text = "a.toml:3:7: layers.0.units: first\n  do this\n  or that\nerror: second\n"
    plain = nnctl("fake")
    assert (plain.status, plain.out, plain.err) == (status, "", text)
    as_json = nnctl("fake", "--json")
    assert (as_json.status, as_json.err) == (status, text)
    assert as_json.document == {
        "schema_version": 1,
        "errors": [
            {
                "file": "a.toml",
                "line": 3,
                "column": 7,
                "path": "layers.0.units",
                "message": "first",
                "hint": "do this\nor that",
            },
            {"file": "", "line": 0, "column": 0, "path": "", "message": "second", "hint": ""},
        ],
        "exit_code": status,
    }


def test_every_status_is_documented_in_the_help(nnctl: Nnctl) -> None:
    text = " ".join(nnctl("--help").out.split())
    for status in ExitStatus:
        assert f" {int(status)} " in text.partition("Exit codes:")[2], status


@pytest.mark.parametrize("returned", [None, ExitStatus.OK, ExitStatus.GATE, ExitStatus.TIME_BUDGET])
def test_a_command_returns_its_status(
    returned: ExitStatus | None, nnctl: Nnctl, fake_command: Install
) -> None:
    def command() -> ExitStatus | None:
        return returned

    fake_command(command)
    assert nnctl("fake").status == int(returned or 0)


def test_a_bug_says_so(
    nnctl: Nnctl, fake_command: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(json: Json = False) -> None:
        raise ZeroDivisionError("by zero")

    fake_command(command)
    ended = nnctl("fake")
    assert ended.status == 1
    assert ended.err == (
        "error: internal error, please report: ZeroDivisionError: by zero\n"
        "  --traceback shows where it happened\n"
    )
    assert "Traceback" in nnctl("fake", "--traceback").err
    assert "Traceback" in nnctl("--traceback", "fake").err
    assert nnctl("fake", "--json").document["exit_code"] == 1
    monkeypatch.setenv("NNCTL_TRACEBACK", "1")
    assert "Traceback" in nnctl("fake").err


def test_what_the_machine_refuses_is_no_bug(nnctl: Nnctl, fake_command: Install) -> None:
    def command() -> None:
        raise PermissionError(13, "Permission denied", "/etc/shadow")

    fake_command(command)
    ended = nnctl("fake")
    assert (ended.status, ended.err) == (1, "error: /etc/shadow: Permission denied\n")


@pytest.mark.parametrize("error", [MemoryError(), OSError(12, "Cannot allocate memory")])
def test_out_of_memory_is_no_bug(nnctl: Nnctl, fake_command: Install, error: Exception) -> None:
    def command() -> None:
        raise error

    fake_command(command)
    assert nnctl("fake").err == "error: out of memory\n  try a smaller batch_size\n"


def test_interrupted(nnctl: Nnctl, fake_command: Install) -> None:
    def command() -> None:
        raise KeyboardInterrupt

    fake_command(command)
    assert nnctl("fake").status == 130


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fake"], "Missing argument 'COUNT'."),
        (["fake", "x"], 'COUNT: expected an integer, given "x"'),
        (["fake", "3", "--size", "0"], '--size: expected at least 1, given "0"'),
        (["fake", "3", "--form", "png"], "--form: 'png' is not one of 'dot', 'svg'."),
        (["fake", "3", "--colour"], "No such option: --colour"),
        (["fale", "3"], "No such command 'fale'. Did you mean 'fake'?"),
        ([], "no command given"),
    ],
)
def test_usage_errors(
    arguments: list[str], message: str, nnctl: Nnctl, fake_command: Install
) -> None:
    def command(
        count: Annotated[int, typer.Argument(metavar="COUNT")],
        size: Annotated[int, typer.Option(min=1)] = 1,
        form: Literal["dot", "svg"] = "dot",
        json: Json = False,
    ) -> None:
        pass

    fake_command(command)
    ended = nnctl(*arguments)
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith(f"error: {message}")
    if arguments:
        ended = nnctl(*arguments, "--json")
        assert ended.document["errors"][0]["message"].startswith(message)
        assert ended.document["exit_code"] == 2


def test_options_behind_a_double_dash_are_arguments(nnctl: Nnctl, fake_command: Install) -> None:
    def command(names: list[str]) -> None:
        raise errors.UsageError(",".join(names))

    fake_command(command)
    ended = nnctl("fake", "--", "--json", "--traceback")
    assert (ended.out, ended.err) == ("", "error: --json,--traceback\n")
