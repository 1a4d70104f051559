"""``nnctl check``."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import GOOD, Nnctl

ROOT = Path(__file__).parents[2]


def test_a_good_spec(nnctl: Nnctl, spec: Path) -> None:
    ended = nnctl("check", spec)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == f"{spec}: ok: 2 layers, 67 parameters, 150 samples\n"


def test_the_document(nnctl: Nnctl, spec: Path) -> None:
    assert nnctl("check", spec, "--json").document == {
        "schema_version": 1,
        "specs": [
            {
                "file": str(spec),
                "ok": True,
                "errors": [],
                "name": "good",
                "layers": 2,
                "parameters": 67,
                "samples": 150,
                "warnings": [],
            }
        ],
        "errors": [],
        "exit_code": 0,
    }


def test_several_specs_are_all_checked(nnctl: Nnctl, spec: Path, tmp_path: Path) -> None:
    bad, lost = tmp_path / "bad.toml", tmp_path / "lost.toml"
    bad.write_text(GOOD.replace("units = 3", "units = 4"), encoding="utf-8")
    lost.write_text(GOOD.replace('"iris"', '"./lost.csv"'), encoding="utf-8")
    ended = nnctl("check", bad, spec, lost, "--json")
    assert ended.status == 2, "the first failure decides"
    assert [entry["ok"] for entry in ended.document["specs"]] == [False, True, False]
    assert [error["file"] for error in ended.document["errors"]] == [str(bad), str(lost)]
    assert ended.err.splitlines()[0] == (
        f'{bad}:14:1: loss: loss "cross_entropy" needs 3 outputs (3 classes), "dense_2" has 4'
    )
    assert nnctl("check", lost).status == 3


def test_warnings_are_no_errors(nnctl: Nnctl, spec: Path) -> None:
    ended = nnctl("check", spec, "--set", "layers.0.activation=linear")
    assert ended.status == 0
    assert ": warning: no activation stands between" in ended.err
    assert "ok:" in ended.out


def test_overrides_are_named_where_they_are_wrong(nnctl: Nnctl, spec: Path) -> None:
    ended = nnctl("check", spec, "--set", "layers.0.unit=9", "--set", "training.epochs=0")
    assert ended.status == 2
    assert "--set layers.0.unit=9: " in ended.err
    assert "--set training.epochs=0: " in ended.err


TAGS = """
[data]
source = "a.tsv"
tokens = "character"
split = { validation = 0.5, test = 0 }
[[layers]]
type = "embedding"
units = 3
[[layers]]
type = "dense"
units = 5
[loss]
type = "cross_entropy"
"""


def test_a_target_that_is_longer_than_its_input_is_told_as_training_does(
    nnctl: Nnctl, tmp_path: Path
) -> None:
    records, spec = "ab\tAB\nb\tB\nabc\tBAB\nb\tA\n", tmp_path / "tags.toml"
    spec.write_text(TAGS, encoding="utf-8")
    for last, status in (("ab\tAC\n", 0), ("ab\tABC\n", 3)):
        (tmp_path / "a.tsv").write_text(records + last, encoding="utf-8")
        ended = nnctl("check", spec)
        assert ended.status == status
    assert "a.tsv:5:1: the target has 3 steps, and its input 2" in ended.err
    assert nnctl("train", spec).err == ended.err


@pytest.mark.parametrize("path", sorted(ROOT.glob("specs/*.toml")), ids=lambda path: path.stem)
def test_shipped_specs_have_neither_errors_nor_warnings(path: Path, nnctl: Nnctl) -> None:
    ended = nnctl("check", path)
    assert (ended.status, ended.err) == (0, "")
