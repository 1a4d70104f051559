"""Mistakes in keys of the spec point at the spec: file, line and column, or the flag."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.data import load, split
from nnctl.data.header import inspect
from nnctl.errors import DataError
from nnctl.spec import load_spec
from tests.data.helpers import IRIS, write

SPEC = """name = "t"
[data]
source = "a.csv"
target = "kind"
features = ["length", "widht"]
[data.split]
group = "who"
[[layers]]
type = "dense"
units = 2
[loss]
type = "cross_entropy"
"""


def test_all_names_that_are_not_there_at_once(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", IRIS)
    write(tmp_path, "s.toml", SPEC)
    spec = load_spec(tmp_path / "s.toml")
    with pytest.raises(DataError) as found:
        inspect(spec.data, spec.base_dir, spec.problem)
    places = [(Path(p.file).name, p.line, p.path) for p in found.value.problems]
    assert places == [("s.toml", 7, "data.split.group"), ("s.toml", 5, "data.features.1")]
    assert 'did you mean "width"?' in str(found.value)


def test_an_override_is_named_as_the_flag(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", IRIS)
    write(tmp_path, "s.toml", SPEC.replace("widht", "width").replace("who", "kind"))
    spec = load_spec(tmp_path / "s.toml", ['data.target="kid"'])
    with pytest.raises(DataError) as found:
        load(spec.data, spec.base_dir, spec.problem)
    assert "--set" in str(found.value) and 'no column "kid" in a.csv' in str(found.value)


def test_an_impossible_split_points_at_its_fraction(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "length,kind\n1,a\n2,b\n")
    text = SPEC.replace(', "widht"', "").replace('group = "who"', "test = 0.25")
    write(tmp_path, "s.toml", text)
    spec = load_spec(tmp_path / "s.toml")
    data = load(spec.data, spec.base_dir, spec.problem)
    with pytest.raises(DataError) as found:
        split(data, spec.data, spec.problem)
    assert found.value.problems[0].line == 7
