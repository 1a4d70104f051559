"""The README: its commands run, its outputs are real, its tables are complete.

Commands run in order, in a folder that holds a copy of ``specs/``. Lines that install or test the
project, or need PyTorch, are compared with the files that they rest on instead.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import tomli

from nnctl.errors import ExitStatus
from nnctl.spec.registry import tags
from tests.bench import command as bench
from tests.bench.workloads import choose
from tests.documents import Block, blocks, commands, differences

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")
BLOCKS = [block for block in blocks(README) if block.language in ("console", "sh", "toml")]
# The cache of the tests is used in place of the one that an example sets up.
NOT_RUN = (
    "python3 -m venv ",
    "pip install ",
    "pytest",
    "python -m tests.",
    "export NNCTL_CACHE_DIR=",
)
SECONDS = 100


@dataclass
class Walk:
    """A reader who tries everything, block after block."""

    folder: Path
    done: int = 0
    troubles: dict[int, list[str]] = field(default_factory=dict)

    def until(self, number: int) -> list[str]:
        """Try all blocks up to ``number``, each once; returns what is wrong with that one."""
        while self.done <= number:
            self.troubles[self.done] = list(self._try(BLOCKS[self.done]))
            self.done += 1
        return self.troubles[number]

    def _try(self, block: Block) -> list[str]:
        if block.language == "toml":
            name = block.text.splitlines()[0].removeprefix("# ")
            (self.folder / name).write_text(block.text, encoding="utf-8")
            return []
        if block.language == "sh":
            lines = [line for line in block.text.splitlines() if not line.startswith(NOT_RUN)]
            status, output = self._shell("\n".join(["set -eu", *lines]))
            return [f"exit code {status}", *output] if status else []
        found: list[str] = []
        for one in commands(block.text):
            status, output = self._shell(one.text)
            if status != one.status:
                found += [f"$ {one.text}", f"exit code {status}, shown {one.status}", *output]
            elif wrong := differences(one.shown, output):
                found += [f"$ {one.text}", *wrong]
        return found

    def _shell(self, text: str) -> tuple[int, list[str]]:
        path = f"{self.folder / '.bin'}{os.pathsep}{os.environ['PATH']}"
        ended = subprocess.run(
            ["bash", "-c", text],
            cwd=self.folder,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return ended.returncode, ended.stdout.splitlines()


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "specs", folder / "specs")
    shim = folder / ".bin" / "nnctl"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m nnctl "$@"\n')
    shim.chmod(0o755)
    return Walk(folder)


@pytest.mark.parametrize("number", range(len(BLOCKS)), ids=lambda n: f"line {BLOCKS[n].line}")
def test_commands_do_what_is_shown(walk: Walk, number: int) -> None:
    assert not walk.until(number), "\n".join(walk.until(number))


def test_a_wrong_output_or_exit_code_is_noticed(walk: Walk) -> None:
    text = "$ echo one; echo two 2\none\ntwo 3\n$ echo more\n$ echo a\nb\n$ false\n$ exit 3\n"
    text += "$ echo $?\n3\n"
    found = "\n".join(walk._try(Block("console", text, 1)))
    assert "echo one" not in found
    for wrong in ("not shown: more", "shown:  b", "exit code 1, shown 0"):
        assert wrong in found
    assert "exit 3" not in found


def test_what_is_not_run_fits_the_project() -> None:
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [line for b in BLOCKS if b.language == "sh" for line in b.text.splitlines()]
    lines = [line for line in lines if line.startswith(NOT_RUN)]
    assert lines[:3] == [
        "python3 -m venv .venv && . .venv/bin/activate",
        'pip install -e ".[dev]"',
        "pytest -q",
    ]
    assert (ROOT / project["tool"]["pytest"]["ini_options"]["testpaths"][0]).is_dir()
    for extra in re.findall(r'pip install -e "\.\[(\w+)\]"', TEXT):
        assert extra in project["project"]["optional-dependencies"]
    timed = [line for line in lines if line.startswith("python -m tests.bench")]
    assert timed
    for line in timed:
        asked = bench.parser().parse_args(shlex.split(line)[3:])
        choose(asked.rows, asked.threads)


def test_exit_codes_are_all_told() -> None:
    table = TEXT.partition("## Exit codes")[2].partition("\n## ")[0]
    told = {int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
    assert told == {int(status) for status in ExitStatus}


def test_types_are_all_told() -> None:
    table = dict(re.findall(r"^\| ([a-z]+) \| (`.*) \|$", TEXT, re.MULTILINE))
    told = {kind: set(re.findall(r"`(\w+)`", text)) for kind, text in table.items()}
    activations = set(tags("activations"))
    layers = set().union(*map(told.pop, ("layers", "convolutions", "pools", "enlargement")))
    assert layers == set(tags("entries")) - activations
    for kind in ("activations", "losses", "optimizers", "schedules", "initializers", "generators"):
        assert told[kind] == set(tags(kind)), kind


def test_environment_variables_are_all_told() -> None:
    table = TEXT.partition("## Environment variables")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    read = {
        name
        for path in (ROOT / "nnctl").rglob("*.py")
        for name in re.findall(r"environ\S*[(\[]\"(NNCTL_\w+)", path.read_text(encoding="utf-8"))
    }
    assert read and read <= told
    assert {name for name in told if name.startswith("NNCTL_")} == read


def test_files_that_are_named_exist() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", TEXT)
    named = re.findall(r"`((?:specs|datasets)/[\w/.-]*|\.ci/run)`", TEXT)
    assert linked and named
    for name in [*linked, *named]:
        assert (ROOT / name).exists(), name
