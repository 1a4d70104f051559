"""Commands on folders of images: check, train with early stopping, predict, and a damaged file."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from nnctl.cli.app import run

SPEC = """
name = "bright"
[data]
source = "./set"
[[layers]]
type = "flatten"
[[layers]]
type = "dense"
units = 2
[loss]
type = "cross_entropy"
[training]
epochs = 3
early_stopping = { monitor = "validation.loss" }
"""


def test_from_a_folder_to_predictions(tmp_path, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    for part in ("train", "test", "val"):
        for level, name in ((0, "dark"), (200, "light")):
            folder = tmp_path / "set" / part / name
            folder.mkdir(parents=True)
            for k in range(4):
                values = rng.integers(level, level + 50, (6, 6, 3), np.uint8)
                Image.fromarray(values).save(folder / f"{k}.png")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text(SPEC)
    assert run(["check", "a.toml"]) == 0
    assert run(["train", "a.toml", "--run-dir", "r", "--quiet"]) == 0
    capsys.readouterr()
    files = [f"{name}/{k}.png" for name in ("dark", "light") for k in range(4)]
    assert run(["predict", "./r", "./set/test"]) == 0
    assert [row["file"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == files
    assert run(["predict", "./r", "./set/test/dark/0.png"]) == 0
    assert [r["file"] for r in csv.DictReader(io.StringIO(capsys.readouterr().out))] == ["0.png"]
    assert run(["eval", "./r", "--json"]) == 0
    worst = json.loads(capsys.readouterr().out)["worst"]
    assert {row["sample"]: row["file"] for row in worst} == {
        k: f"test/{file}" for k, file in enumerate(files)
    }
    assert run(["report", "./r", "-o", "r.html"]) == 0
    assert f"<td>{worst[0]['file']}</td>" in (tmp_path / "r.html").read_text()
    assert run(["eval", "./r", "--data", "./set/val"]) == 0
    broken = tmp_path / "set" / "train" / "dark" / "0.png"
    broken.write_bytes(broken.read_bytes()[:70])
    capsys.readouterr()
    assert run(["train", "a.toml", "--run-dir", "q", "--quiet"]) == 3
    assert "set/train/dark/0.png: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["set.v2/", "set.v2"])
def test_a_folder_whose_name_has_a_dot_may_have_a_validation_part(name, tmp_path, monkeypatch):
    for part in ("train/dark", "train/light", "validation/dark", "validation/light"):
        (tmp_path / "set.v2" / part).mkdir(parents=True)
        Image.new("L", (4, 4), len(part)).save(tmp_path / "set.v2" / part / "1.png")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text(SPEC.replace("./set", name))
    assert run(["check", "a.toml"]) == 0


@pytest.mark.parametrize("remedy", ["split = { validation = 0.25 }", None])
def test_early_stopping_without_a_validation_folder(remedy, tmp_path, monkeypatch, capsys):
    for name in ("dark", "light"):
        (tmp_path / "set" / name).mkdir(parents=True)
        for k in range(8):
            Image.new("L", (4, 4), k).save(tmp_path / "set" / name / f"{k}.png")
    monkeypatch.chdir(tmp_path)
    text = SPEC.replace("[[layers]]", f"{remedy or ''}\n[[layers]]", 1)
    (tmp_path / "a.toml").write_text(text)
    assert run(["check", "a.toml"]) == (0 if remedy else 2)
    said = capsys.readouterr().err
    assert remedy or "there is no validation part" in said
