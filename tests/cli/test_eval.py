"""``nnctl eval``: the figures of training again, gates and their exit codes."""

import json

import pytest

from nnctl.cli.app import run
from nnctl.run.rundir import RunDir

pytestmark = pytest.mark.usefixtures("here")


def evaluated(capsys, *argv, status=0):
    assert run(["eval", *argv, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def test_the_document_of_the_contract(capsys):
    found = evaluated(capsys, "iris", "--gate", "accuracy>=0.5", "--gate", "recall[setosa]>=0.9")
    assert list(found)[:8] == [
        "schema_version", "checkpoint", "split", "samples",
        "metrics", "per_class", "confusion", "gates",
    ]  # fmt: skip
    assert found["checkpoint"] == "runs/iris/checkpoints/best.safetensors"
    assert (found["split"], found["samples"]) == ("test", 38)
    names = [row["class"] for row in found["per_class"]]
    assert names == ["setosa", "versicolor", "virginica"] == found["confusion"]["classes"]
    right = sum(found["confusion"]["counts"][k][k] for k in range(3))
    assert found["metrics"]["accuracy"] == right / 38
    assert [gate["passed"] for gate in found["gates"]] == [True, True]


def test_the_same_figures_as_training_to_the_last_bit(capsys, here):
    for name in ("iris", "diabetes", "pets"):
        told = RunDir(here / "runs" / name).summary()["metrics"]
        for split, figures in told.items():
            found = evaluated(capsys, f"runs/{name}/latest", "--split", split)["metrics"]
            assert {key: found[key] for key in figures} == figures


def test_threads_change_no_figure(capsys):
    one = evaluated(capsys, "iris", "--threads", "1")
    assert one == evaluated(capsys, "iris", "--threads", "2")


@pytest.mark.parametrize(
    ("gate", "status", "reason"),
    [
        ("accuracy>=0.5", 0, ""),
        ("accuracy>1", 5, "accuracy is "),
        ("acuracy>=0", 5, "did you mean 'accuracy'"),
        ("mae<=1e9", 5, "there is no mae"),
        ("recall[tulip]>=0", 5, "there is no recall[tulip]"),
        ("top_2_accuracy>=0.5", 0, ""),
        ("accuracy>=", 2, "cannot read the gate 'accuracy>='"),
    ],
)
def test_gates(capsys, gate, status, reason):
    assert run(["eval", "iris", "--gate", gate]) == status
    assert reason in capsys.readouterr().err


def test_an_unmet_gate_still_gives_one_document(capsys):
    found = evaluated(capsys, "iris", "--gate", "loss<0", status=5)
    assert found["gates"] == [
        {"gate": "loss<0", "value": found["metrics"]["loss"], "passed": False}
    ]


def test_text_with_and_without_classes(capsys):
    assert run(["eval", "iris"]) == 0
    plain = capsys.readouterr().out
    assert "accuracy" in plain and "versicolor" not in plain
    assert run(["eval", "iris", "--per-class"]) == 0
    assert "versicolor" in capsys.readouterr().out


def test_classes_of_what_has_none(capsys):
    assert run(["eval", "diabetes", "--per-class"]) == 0
    assert "--per-class has no effect: this network predicts numbers" in capsys.readouterr().err


def test_regression_in_the_units_of_the_data(capsys):
    metrics = evaluated(capsys, "diabetes")["metrics"]
    assert 30 < metrics["mae"] < 150  # the target has a spread of 77
    assert metrics["rmse"] ** 2 == pytest.approx(metrics["mse"])


def test_two_outputs_are_named(capsys):
    gates = ("--gate", "worth.mae<=1e6", "--gate", "which.recall[dog, small]>=0")
    found = evaluated(capsys, "pets", *gates)
    assert {"which.accuracy", "worth.r2"} <= set(found["metrics"])
    assert found["outputs"]["which"]["confusion"]["classes"] == ["cat", "dog, small", "eel"]
    assert all(gate["passed"] for gate in found["gates"])


def test_other_data(capsys, here):
    lines = (here / "pets.csv").read_text().splitlines()
    (here / "more.csv").write_text("\n".join(lines[:11]) + "\n")
    found = evaluated(capsys, "pets", "--data", "./more.csv")
    assert (found["split"], found["samples"]) == ("data", 10)


def test_what_eval_leaves_for_the_report(capsys, here):
    kept = here / "runs" / "iris" / "artifacts" / "evaluation-train.json"
    found = evaluated(capsys, "iris", "--split", "train")
    assert json.loads(kept.read_text()) == found
    kept.unlink()
    evaluated(capsys, "runs/iris/latest", "--split", "train")
    assert not kept.exists()  # one checkpoint of a run is not the run


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["iris", "--split", "validation"], 2, "there is no validation part"),
        (["iris", "--split", "tset"], 2, 'did you mean "test"'),
        (["iris", "--data", "x.csv", "--split", "test"], 2, "cannot hold together"),
        (["iris", "--data", "nope.csv"], 3, "no such file: nope.csv"),
        (["nope"], 6, "no such run or checkpoint: nope"),
        (["iris.toml"], 6, "not a checkpoint"),
    ],
)
def test_mistakes(capsys, argv, status, message):
    assert run(["eval", *argv]) == status
    assert message in capsys.readouterr().err


def test_changed_data_are_not_split_anew(capsys, here):
    path = here / "pets.csv"
    before = path.read_text()
    try:
        path.write_text(before + '1.0,-1.0,"cat",1000\n')
        assert run(["eval", "pets"]) == 3
        assert "the data are not those" in capsys.readouterr().err
    finally:
        path.write_text(before)
