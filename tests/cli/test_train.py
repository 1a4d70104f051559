"""``nnctl train`` and ``nnctl resume``: streams, documents and exit codes."""

from __future__ import annotations

import json

import pytest

from nnctl.run.rundir import RunDir

FEW = ("--set", "training.epochs=2")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_stdout_is_the_result_and_stderr_the_progress(nnctl, spec, here):
    ended = nnctl("train", spec, *FEW)
    assert ended.status == 0
    assert ended.out.splitlines()[0].startswith("runs/good-001: finished (epochs) after epoch 2")
    assert "accuracy" in ended.out and "epoch" not in ended.out.split("\n", 1)[1]
    assert ended.err.startswith("epoch 1/2  running loss ")
    assert "\x1b" not in ended.err and "\r" not in ended.err


def test_quiet_says_nothing_but_the_result(nnctl, spec, here):
    ended = nnctl("train", spec, *FEW, "--quiet")
    assert ended.status == 0 and ended.err == "" and "finished" in ended.out


def test_json_is_one_document(nnctl, spec, here):
    ended = nnctl("train", spec, *FEW, "--json", "--gate", "accuracy>=0", "--gate", "loss<0")
    found = ended.document
    assert ended.status == found["exit_code"] == 5
    assert found["schema_version"] == 1 and found["run"] == "runs/good-001"
    assert (found["status"], found["reason"], found["epochs"]) == ("finished", "epochs", 2)
    assert [gate["passed"] for gate in found["gates"]] == [True, False]
    assert "gate not met: loss<0" in found["errors"][0]["message"]
    assert "gate not met: loss<0: loss is " in ended.err
    assert set(found["metrics"]) == {"train", "test"}
    again = nnctl("resume", "--json").document
    assert again["already"] is True and again["exit_code"] == 0
    assert nnctl("resume", "--gate", "loss<0").status == 5


def test_gates_of_the_spec_count_in_train_and_resume(nnctl, spec, here):
    spec.write_text('gates = ["accuracy>=2"]\n' + spec.read_text())
    assert nnctl("train", spec, *FEW).status == 5
    assert nnctl("resume").status == 5
    assert nnctl("train", spec, *FEW, "--resume", "auto").status == 5


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["none.toml"], 2, "no such spec file"),
        (["good.toml", "--gate", "accuracy=1"], 2, "cannot read the gate 'accuracy=1'"),
        (["good.toml", "--max-time", "soon"], 2, "cannot read the time 'soon'"),
        (["good.toml", "--threads", "0"], 2, "--threads"),
        (["good.toml", "--resume", "perhaps"], 2, "--resume"),
        (["good.toml", "--set", "training.epoch=3"], 2, "training.epoch"),
        (["good.toml", "--run-dir", "good.toml"], 2, "good.toml exists already"),
        (["good.toml", "--run-dir", "good.toml/run"], 2, "as a run directory"),
        (["good.toml", "--set", 'data.source="./none.csv"'], 3, "no such file"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(nnctl, spec, here, arguments, status, said):
    ended = nnctl("train", *arguments, "--json")
    assert (ended.status, ended.document["exit_code"]) == (status, status)
    assert said in ended.err
    assert sorted(path.name for path in here.iterdir()) == ["good.toml"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "no such run or checkpoint: nowhere"),
        (["good.toml"], "checkpoint unusable"),
        (["."], "not a run directory"),
        ([], "there is no run in runs/"),
        (["latest"], "there is no run in runs/"),
    ],
)
def test_what_cannot_be_resumed(nnctl, spec, here, arguments, said):
    ended = nnctl("resume", *arguments)
    assert ended.status == 6 and said in ended.err


def test_out_of_time_is_75_and_the_same_command_goes_on(nnctl, spec, here):
    line = ["train", spec, "--run-dir", "run", "--resume", "auto", *FEW, "--max-time", "0.001s"]
    for step in (1, 2):
        ended = nnctl(*line)
        assert ended.status == 75 and "stopped (max_time)" in ended.out
        assert RunDir(here / "run").summary()["steps"] == step
    assert nnctl(*line[:-2]).status == 0


def test_divergence_is_4_with_the_step_and_the_tensor(nnctl, spec, here):
    wild = 'optimizer={ type = "sgd", learning_rate = 1e6 }'
    line = ["--set", wild, "--set", "training.epochs=500", "--set", "layers.0.activation='linear'"]
    ended = nnctl("train", spec, *line)
    assert ended.status == 4, ended
    assert "training diverged; the first NaN or Inf is in " in ended.err
    assert "the last good state is runs/good-001/checkpoints/latest.safetensors" in ended.err
    assert nnctl("checkpoint", "verify", "runs/good-001").status == 0
    assert nnctl("resume", "--json").document["exit_code"] == 4


def test_an_end_with_a_loss_that_is_not_finite_is_4(nnctl, spec, here):
    wild = 'optimizer={ type = "sgd", learning_rate = 1e6 }'
    line = ["--set", wild, "--set", "training.max_steps=1", "--set", "loss.type='mse'"]
    more = ["--set", "data.source='diabetes'", "--set", "layers.1.units=1"]
    ended = nnctl("train", spec, *line, *more, "--set", "layers.0.activation='linear'")
    assert ended.status == 4, ended
    assert "after step 1: training diverged; the loss on train is NaN or Inf" in ended.err
    document = nnctl("resume", "--json").document
    assert document["exit_code"] == 4 and document["metrics"]["train"]["loss"] is None
    assert document["already"] and document["status"] == "diverged"


def test_a_changed_spec_is_6_with_the_difference(nnctl, spec, here):
    nnctl("train", spec, *FEW, "--run-dir", "run")
    line = ["train", spec, *FEW, "--run-dir", "run", "--resume", "auto"]
    ended = nnctl(*line, "--set", "layers.0.units=9", "--json")
    assert ended.status == 6
    told = [error["path"] + ": " + error["message"] for error in ended.document["errors"][1:]]
    assert told == ["layers.0.units: was 8, is now 9"]


def test_the_run_is_readable_by_the_other_commands(nnctl, spec, here):
    nnctl("train", spec, *FEW)
    assert nnctl("checkpoint", "list").status == 0
    assert nnctl("eval").status == 0
    assert nnctl("report").status == 0
    lines = (here / "runs" / "good-001" / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines][-1] == "finished"
