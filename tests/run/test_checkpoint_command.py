"""``nnctl checkpoint``: list, show, verify, diff, prune, average."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from nnctl import checkpoint
from nnctl.cli import app
from nnctl.run.rundir import RunDir
from tests.run.runs import train, write_spec


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("original")
    train(write_spec(folder), folder / "run")
    return folder


@pytest.fixture
def run(original, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(original / "run", tmp_path / "run", symlinks=True)
    return RunDir(tmp_path / "run")


def nnctl(capsys, *arguments):
    """Run a command line in this process; returns (exit code, stdout, stderr)."""
    capsys.readouterr()
    status = app.run(["checkpoint", *map(str, arguments)])
    return status, *capsys.readouterr()


def document(capsys, *arguments):
    status, out, _ = nnctl(capsys, *arguments, "--json")
    return status, json.loads(out)


def test_list_shows_every_step_file_and_the_links(run, capsys):
    status, found = document(capsys, "list", "run")
    rows = found["checkpoints"]
    assert status == 0 and [(row["step"], row["epoch"]) for row in rows] == [
        (4, 1), (8, 2), (12, 3), (16, 4),
    ]  # fmt: skip
    assert [row["links"] for row in rows if "latest" in row["links"]]
    assert set(rows[0]["metrics"]) >= {"train.loss", "validation.accuracy", "test.loss"}
    status, out, _ = nnctl(capsys, "list", "run")
    assert status == 0 and len(out.splitlines()) == 6 and "latest" in out
    run.step_path(4).write_bytes(b"x" * 10)
    assert "unusable" in nnctl(capsys, "list", "run")[1]


def test_show_tells_where_training_was_and_what_is_inside(run, capsys):
    status, found = document(capsys, "show", "run")
    assert status == 0 and (found["epoch"], found["step"], found["row"]) == (4, 16, 0)
    shapes = {tensor["name"]: tensor["shape"] for tensor in found["tensors"]}
    assert shapes["param/dense_1.w"] == "2x8" and "slot/adam.m/dense_1.w" in shapes
    assert "normalize/mean" in shapes
    assert 'name = "little"' in nnctl(capsys, "show", "run", "--spec")[1]
    assert "param/dense_2.b" in nnctl(capsys, "show", "run/best")[1]


def test_verify_reads_to_the_last_bit(run, capsys):
    assert nnctl(capsys, "verify", "run")[0] == 0
    path = run.step_path(8)
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 128
    path.write_bytes(blob)
    status, out, err = nnctl(capsys, "verify", "run")
    assert status == 6 and out.count(": ok") == 3 and str(path.name) in err
    status, found = document(capsys, "verify", run.step_path(8), run.step_path(4))
    assert status == 6 and found["exit_code"] == 6
    assert [row["ok"] for row in found["checkpoints"]] == [False, True]


def test_diff_names_settings_and_tensors(run, original, capsys):
    first, last = run.step_path(4), run.step_path(16)
    assert nnctl(capsys, "diff", last, last)[1] == "no difference\n"
    _, found = document(capsys, "diff", first, last)
    assert found["settings"] == []
    assert "param/dense_1.w" in {row["tensor"] for row in found["tensors"]}
    other = write_spec(original, ("units = 8", "units = 9"), name="other.toml")
    _, found = document(capsys, "diff", "run", other)
    assert found["settings"] == [{"setting": "layers.0.units", "first": 8, "second": 9}]


def test_prune_keeps_what_is_linked(run, capsys):
    best = run.best.resolve().name
    status, found = document(capsys, "prune", "run", "--keep", 1)
    kept = {best, run.latest.resolve().name}
    assert status == 0 and {path.name for path in run.steps().values()} == kept
    assert len(found["removed"]) == 4 - len(kept)
    assert nnctl(capsys, "prune", "run")[1] == "nothing to remove\n"


def test_prune_keeps_the_newest_that_is_whole(run, capsys):
    run.step_path(16).write_bytes(b"spoilt")
    status, _, err = nnctl(capsys, "prune", "run", "--keep", 1)
    assert status == 0 and "falling back to the one before" in err
    assert run.step_path(12).exists() and not run.step_path(4).exists()


def test_average_is_the_mean_of_the_networks(run, capsys):
    a, b = run.step_path(12), run.step_path(16)
    assert nnctl(capsys, "average", a, b, "-o", "mean.safetensors")[0] == 0
    mean, meta = checkpoint.load(run.path.parent / "mean.safetensors")
    first, second = checkpoint.load(a)[0], checkpoint.load(b)[0]
    for name in ("param/dense_1.w", "param/dense_2.b"):
        wide = (first[name].astype(float) + second[name].astype(float)) / 2
        np.testing.assert_array_equal(mean[name], wide.astype(np.float32))
    assert "normalize/mean" in mean and not any(name.startswith("slot/") for name in mean)
    assert meta["averaged"] == 2
    assert app.run(["eval", "mean.safetensors"]) == 0
    assert app.run(["resume", "mean.safetensors"]) == 6
    assert "no training state" in capsys.readouterr().err
    assert nnctl(capsys, "average", a, "-o", "one.safetensors")[0] == 6


def test_what_is_not_there_is_said(run, capsys):
    for arguments in (["list"], ["show", "nowhere"], ["verify", "nowhere"], ["prune", "."]):
        assert nnctl(capsys, *arguments)[0] == 6
    assert nnctl(capsys)[0] == 2
