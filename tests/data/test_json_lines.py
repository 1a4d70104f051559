"""JSON lines: what Python's reader would let pass, each told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nnctl.data import load, load_more
from nnctl.data.header import inspect
from nnctl.errors import DataError
from tests.data.helpers import spec, write

GOOD = '{"input": "ab", "target": "b"}\n{"input": "b", "target": "a"}\n'
HALF = r'field "target": \ud83d (character 2) is half of a character'
NUMBER = "expected a text, given the number"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (r'{"input": "a", "target": "b\ud83d"}', HALF),
        (r'{"input": "\ude00", "target": "b"}', r'field "input": \ude00 (character 1) is half'),
        ('{"input": NaN, "target": "b"}', "no JSON: NaN is no value of it"),
        ('{"input": "a", "target": "b", "x": -Infinity}', "no JSON: -Infinity is no value of it"),
        ('{"input": 12, "target": "b"}', f'field "input": {NUMBER} 12'),
        ('{"input": "a", "target": 1.5}', f'field "target": {NUMBER} 1.5'),
        ('{"input": "a", "target": "b", "input": "b"}', 'field "input" is there twice'),
    ],
)
def test_what_is_no_text_or_no_json(line: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", GOOD + line + "\n")
    for use in (load, inspect):
        with pytest.raises(DataError) as found:
            use(spec(source="a.jsonl", tokens="character"), tmp_path)
        (problem,) = found.value.problems
        assert str(problem).startswith(f"{tmp_path}/a.jsonl:3:1: {said}") and problem.hint


@pytest.mark.parametrize(
    ("line", "labeled", "said"),
    [
        (r'{"input": "a\ud800"}', False, r'field "input": \ud800 (character 2) is half'),
        ('{"input": 12}', False, f'field "input": {NUMBER} 12'),
        ('{"input": "a", "target": 7}', True, f'field "target": {NUMBER} 7'),
    ],
)
def test_other_records_too(line: str, labeled: bool, said: str, tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", GOOD)
    data = spec(source="a.jsonl", tokens="character")
    reading = load(data, tmp_path).reading
    assert reading is not None
    write(tmp_path, "n.jsonl", line + "\n")
    with pytest.raises(DataError) as found:
        load_more(data, reading, "n.jsonl", labeled=labeled, base_dir=tmp_path)
    assert f"n.jsonl:1:1: {said}" in str(found.value)


def test_whole_characters_and_numbers_that_are_amounts_pass(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"source": "a.jsonl", "tokens": "character"}
    write(tmp_path, "a.jsonl", r'{"input": "\ud83d\ude00b", "target": 3}' + "\n")
    made = load(spec(**keys, task="regression"), tmp_path)
    assert made.inputs[""].tolist() == [[1, 0]] and made.targets[""].values.tolist() == [[3.0]]
