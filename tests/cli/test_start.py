"""Starting is fast because of what is not imported; modules are counted here, not seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from nnctl.cli._commands import summaries

ROOT = Path(__file__).parents[2]
PROBE = """
import json, sys
from nnctl.cli.app import run
for line in json.loads(sys.argv[1]):
    status = run(line)
    print()
    print("PROBE", json.dumps([status, sorted(sys.modules)]))
"""
HEAVY = {"numpy", "numba", "llvmlite", "safetensors", "PIL", "matplotlib", "jinja2", "rich"}
LIGHT = [
    (0, ["check", "specs/digits_mlp.toml"]),
    (2, ["check", "specs/digits_mlp.toml", "--set", "layers.1.units=-1"]),
    (2, ["check", "nowhere.toml"]),
    (3, ["check", "specs/digits_mlp.toml", "--set", 'data.source="./nowhere.csv"']),
    (0, ["show", "specs/digits_mlp.toml"]),
    (0, ["show", "specs/digits_mlp.toml", "--graph", "svg"]),
    (0, ["show", "specs/digits_mlp.toml", "--resolved"]),
    (2, ["show", "specs/digits_mlp.toml", "--graph", "png"]),
    (0, ["schema"]),
    (0, ["explain", "dense"]),
]


def _modules(*lines: list[str]) -> list[tuple[int, set[str]]]:
    """Run command lines one after another in a fresh interpreter; return each one's status and
    the modules that are imported after it, those of others by their top-level name."""
    ended = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(lines)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    probes = [line[6:] for line in ended.stdout.splitlines() if line.startswith("PROBE ")]
    found = [json.loads(probe) for probe in probes]
    assert len(found) == len(lines)
    return [
        (status, {n if n.startswith("nnctl") else n.partition(".")[0] for n in names})
        for status, names in found
    ]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_imports_neither_pydantic_nor_numpy(arguments: list[str]) -> None:
    [(_, modules)] = _modules(arguments)
    assert not modules & (HEAVY | {"pydantic", "pydantic_core"})
    commands = {f"nnctl.cli.{name.replace('-', '_')}" for name in summaries()}
    assert not modules & commands, "help imports no command"


def test_the_help_of_a_command_imports_no_heavy_module() -> None:
    names = sorted(summaries())
    for name, (status, modules) in zip(
        names, _modules(*([n, "--help"] for n in names)), strict=True
    ):
        assert status == 0
        assert not modules & HEAVY, name


@cache
def _light() -> list[tuple[int, set[str]]]:
    return _modules(*(line for _, line in LIGHT))


@pytest.mark.parametrize("number", range(len(LIGHT)), ids=[" ".join(line) for _, line in LIGHT])
def test_what_trains_nothing_imports_neither_numpy_nor_numba(number: int) -> None:
    expected, _ = LIGHT[number]
    status, modules = _light()[number]
    assert status == expected
    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith(("nnctl.engine", "nnctl.plan"))}
