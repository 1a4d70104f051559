"""The exact words for every kind of mistake: ``messages.txt``, read and approved by people.

A case edits lines of the plain spec (``7: units = 0`` replaces line 7) and gives all that is said.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnctl.errors import ExitStatus, SpecError
from nnctl.spec import load_spec
from tests.spec.helpers import PLAIN, load, said

GOLDEN = (Path(__file__).parent / "messages.txt").read_text()
CASES = [case.split("\n---\n") for case in re.split(r"^=== ", GOLDEN, flags=re.MULTILINE)[1:]]


def edited(edits: list[str]) -> str:
    """Replace lines of the plain spec; ``\\n`` in an edit makes several of one."""
    lines = PLAIN.splitlines()
    for edit in edits:
        number, _, text = edit.partition(":")
        lines[int(number) - 1] = text.strip().replace("\\n", "\n")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("case", "expected"), CASES, ids=[c[0].splitlines()[0] for c in CASES])
def test_message(case: str, expected: str) -> None:
    assert said(edited(case.splitlines()[1:])) == expected.strip()


def test_there_are_many_cases() -> None:
    assert len(CASES) > 100


def test_the_plain_spec_is_legal() -> None:
    assert said() == ""


def test_the_fields_of_a_problem() -> None:
    with pytest.raises(SpecError) as caught:
        load(PLAIN.replace("units = 32", "units = 0"))
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("s.toml", 7, 9)
    assert problem.path == "layers.1.units"
    assert caught.value.status == ExitStatus.USAGE


def test_a_place_for_later_stages() -> None:
    problem = load().problem(("layers", 1, "units"), "too many", "take fewer")
    assert str(problem) == "s.toml:7:1: layers.1.units: too many\n  take fewer"
    problem = load(PLAIN, "layers.1.units=5").problem(("layers", 1, "units"), "too many")
    assert str(problem) == "--set layers.1.units=5: too many"
    problem = load().problem(("losses", "", "label_smoothing"), "no")
    assert str(problem) == "s.toml:11:1: loss.label_smoothing: no"
    problem = load().problem(("layers", 0, "from_"), "no")
    assert str(problem) == "s.toml:3:1: layers.0.from: no"
    assert load().problem(("training", "epochs"), "no").line == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such spec file\n  did you mean"),
        (b"\xff\xfe", ":1:1: expected UTF-8 text, given the byte 0xff\n"),
        (b"a = 1\nb = '\xe9'\n", ":2:6: expected UTF-8 text, given the byte 0xe9\n"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes | None, words: str) -> None:
    (tmp_path / "a.toml").write_text(PLAIN)
    path = tmp_path / "b.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert words in str(caught.value)


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="expected a spec file, given a directory"):
        load_spec(tmp_path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "a b!.toml"
    path.write_bytes(b"\xef\xbb\xbf" + PLAIN.encode())
    assert load_spec(path).name == "a-b-"
    assert load_spec(path).base_dir == tmp_path
