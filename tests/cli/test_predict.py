"""``nnctl predict``: the network's answers, in all forms, from files and from parts."""

import csv
import io
import json

import numpy as np
import pytest

from nnctl.cli.app import run

pytestmark = pytest.mark.usefixtures("here")

UNSEEN = "b,a,remark\n-1.0,1.2,x\n0.1,0.2,y\n"


def rows(capsys, *argv):
    assert run(["predict", *argv]) == 0
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def test_a_part_of_the_data_agrees_with_eval(capsys):
    found = rows(capsys, "iris", "test")
    assert run(["eval", "iris", "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["confusion"]
    predicted = [row["class"] for row in found]
    for k, name in enumerate(counts["classes"]):
        assert predicted.count(name) == sum(line[k] for line in counts["counts"])
    total = sum(float(found[0][f"p[{name}]"]) for name in counts["classes"])
    assert total == pytest.approx(1.0, abs=1e-6)


def test_a_file_without_target_and_with_columns_in_another_order(capsys, here):
    (here / "new.csv").write_text(UNSEEN)
    found = rows(capsys, "pets", "./new.csv")
    assert [row["sample"] for row in found] == ["0", "1"]
    assert found[0]["which.class"] in ("cat", "dog, small", "eel")
    assert 500 < float(found[0]["worth.prediction"]) < 1800


def test_a_checkpoint_needs_no_training_data(capsys, here, tmp_path, monkeypatch):
    (tmp_path / "new.csv").write_text(UNSEEN)
    source = here / "runs" / "pets" / "checkpoints" / "latest.safetensors"
    (tmp_path / "model.safetensors").write_bytes(source.read_bytes())
    (here / "new.csv").write_text(UNSEEN)
    there = rows(capsys, "pets", "./new.csv")
    monkeypatch.chdir(tmp_path)
    assert len(rows(capsys, "./model.safetensors", "./new.csv")) == len(there) == 2


def test_several_inputs_say_where_each_row_is_from(capsys):
    found = rows(capsys, "iris", "test", "train")
    assert [found[0]["source"], found[-1]["source"]] == ["test", "train"]
    assert len(found) == 150


def test_jsonl_and_json(capsys):
    assert run(["predict", "iris", "test", "--format", "jsonl"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert run(["predict", "iris", "test", "--json", "-q"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["predictions"] == lines and len(lines) == 38


def test_archive_by_the_name_of_the_file(capsys, here):
    assert run(["predict", "iris", "test", "-o", "p.npz"]) == 0
    assert capsys.readouterr().out == "p.npz\n"
    with np.load(here / "p.npz", allow_pickle=False) as archive:
        assert archive["probabilities"].shape == (38, 3)
        assert (archive["probabilities"].argmax(axis=1) == archive["class"]).all()


def test_features_of_a_layer(capsys, here):
    assert run(["predict", "pets", "train", "--layer", "trunk", "-o", "f.npz"]) == 0
    with np.load(here / "f.npz", allow_pickle=False) as archive:
        features = archive["trunk"]
    assert features.shape == (36, 6)
    assert np.abs(features).max() <= 1.0  # after the activation, tanh


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["pets", "test", "--layer", "trunc"], 2, 'did you mean "trunk"'),
        (["iris", "test", "--layer", "input"], 2, "there is no layer 'input'"),
        (["pets", "./gone.csv"], 3, "no such file: ./gone.csv"),
        (["pets", "test", "--format", "npz"], 2, "an archive needs a file"),
        (["pets", "./pets.toml"], 3, "pets.toml"),
        (["pets", "test", "-o", "no/where.csv"], 2, "cannot write no/where.csv"),
        (["pets"], 2, "INPUT"),
    ],
)
def test_mistakes(capsys, argv, status, message):
    assert run(["predict", *argv]) == status
    assert message in capsys.readouterr().err


def test_a_file_that_lacks_a_feature(capsys, here):
    (here / "short.csv").write_text("a,c\n1,2\n")
    assert run(["predict", "pets", "./short.csv"]) == 3
    assert "no column b, which pets.csv has" in capsys.readouterr().err
