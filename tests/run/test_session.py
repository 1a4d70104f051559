"""Train and resume on the real engine: same bits however a run was cut up, and clear refusals."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from nnctl import checkpoint, files
from nnctl.errors import CheckpointError, DataError, ExitStatus, SpecError, UsageError
from nnctl.run import eventlog, session
from nnctl.run.rundir import RunDir
from nnctl.run.training import Terms
from nnctl.spec.gates import parse_gates
from tests.run.runs import final, stopping_at, train, write_spec

STEPS = 16
SELECTING = ("epochs = 4", "epochs = 60\nearly_stopping = { patience = 2, min_delta = 0.01 }")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of four epochs that nothing has interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    outcome = train(write_spec(folder), folder / "run")
    assert (outcome.status, outcome.reason) == (ExitStatus.OK, "epochs")
    return folder / "run"


@pytest.fixture
def spec(tmp_path):
    return write_spec(tmp_path)


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of the finished run, to be spoiled."""
    shutil.copytree(whole, tmp_path / "copy", symlinks=True)
    return tmp_path / "copy"


def resume(run, *overrides, **terms):
    return session.resume(str(run), overrides, terms=Terms(**terms))


@pytest.mark.parametrize("threads", [1, 2])
def test_stopped_at_every_step_and_resumed_ends_in_the_same_bytes(whole, tmp_path, spec, threads):
    run = tmp_path / "run"
    outcome = train(spec, run, threads=threads, **stopping_at(1))
    stops = 0
    while outcome.status == ExitStatus.SIGTERM:
        stops += 1
        step = outcome.summary["steps"]
        outcome = resume(
            run, threads=3 - threads if stops % 2 else threads, **stopping_at(step + 1)
        )
    assert outcome.status == ExitStatus.OK
    assert stops == STEPS, "it must have been stopped after every step"
    assert final(run) == final(whole)
    assert (run / "checkpoints" / "best.safetensors").read_bytes() == (
        whole / "checkpoints" / "best.safetensors"
    ).read_bytes()
    assert epochs(run) == epochs(whole)


def epochs(run):
    keys = ("epoch", "step", "running_loss", "learning_rate", "metrics", "improved")
    lines = [line for line in eventlog.read(run / "events.jsonl") if line["event"] == "epoch"]
    return [{key: line[key] for key in keys} for line in lines]


def test_early_stopping_is_exact_through_stops(tmp_path):
    spec = write_spec(tmp_path, SELECTING)
    wanted = train(spec, tmp_path / "whole")
    assert wanted.reason == "early_stopping" and wanted.summary["restored"]
    outcome = train(spec, tmp_path / "run", **stopping_at(5))
    while outcome.status == ExitStatus.SIGTERM:
        outcome = resume(tmp_path / "run", **stopping_at(outcome.summary["steps"] + 9))
    assert final(tmp_path / "run") == final(tmp_path / "whole")
    assert outcome.summary["best"] == wanted.summary["best"]
    assert outcome.summary["metrics"] == wanted.summary["metrics"]


def test_two_epochs_and_two_more_are_four(whole, tmp_path, spec):
    run = tmp_path / "run"
    train(spec, run, "training.epochs=2")
    assert final(run) != final(whole)
    resume(run, "training.epochs=4")
    assert final(run) == final(whole)


def test_an_end_that_is_behind_is_said_to_be(copy):
    said = []
    outcome = resume(copy, "training.epochs=1", warn=said.append)
    assert outcome.status == ExitStatus.OK
    assert said == ["training.epochs = 1 is behind: the run is at 4 and ends there"]


def test_a_time_budget_of_nothing_gets_there_step_by_step(whole, tmp_path, spec):
    run = tmp_path / "run"
    for step in range(1, STEPS + 1):
        outcome = train(spec, run, auto=True, max_seconds=0.0, elapsed=lambda: 1.0)
        assert (outcome.status, outcome.reason) == (ExitStatus.TIME_BUDGET, "max_time")
        assert outcome.summary["steps"] == step
    outcome = train(spec, run, auto=True, max_seconds=0.0, elapsed=lambda: 1.0)
    assert outcome.status == ExitStatus.OK
    assert final(run) == final(whole)


def test_a_finished_run_is_left_alone_and_ends_as_it_had(whole, copy, spec):
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    for outcome in (resume(copy), train(spec, copy, auto=True)):
        assert outcome.already and outcome.status == ExitStatus.OK
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*")} == before
    gates = tuple(parse_gates(["accuracy>2"]))
    assert resume(copy, gates=gates).status == ExitStatus.GATE


def test_gates_are_judged_on_the_test_part(tmp_path, spec):
    gates = tuple(parse_gates(["loss<100", "accuracy>2", "recall[9]>0", "zzz>0"]))
    outcome = train(spec, tmp_path / "run", "training.epochs=1", gates=gates)
    assert outcome.status == ExitStatus.GATE
    assert [verdict.passed for verdict in outcome.verdicts] == [True, False, False, False]
    assert resume(tmp_path / "run", gates=gates).status == ExitStatus.GATE


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_again(whole, copy, spec):
    shutil.rmtree(copy / "checkpoints")
    summary = RunDir(copy).summary()
    RunDir(copy).write_summary({**summary, "status": "running"})
    outcome = resume(copy)
    assert not outcome.already and final(copy) == final(whole)
    assert epochs(copy) == epochs(whole)


def test_an_empty_directory_is_started_in_with_resume_auto_only(whole, tmp_path, spec):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(UsageError, match="exists already"):
        train(spec, run)
    with pytest.raises(CheckpointError):
        resume(run)
    assert train(spec, run, auto=True).status == ExitStatus.OK
    assert final(run) == final(whole)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.docx").write_text("")
    with pytest.raises(UsageError, match="holds thesis.docx"):
        train(spec, tmp_path / "other", auto=True)


def test_resume_auto_without_a_directory_takes_the_newest_run_of_the_spec(
    tmp_path, spec, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    first = train(spec, None, "training.epochs=1", auto=True)
    assert str(first.run.path) == "runs/little-001"
    other = train(spec, None, "training.epochs=1", "name=other")
    again = train(spec, None, "training.epochs=1", auto=True)
    assert again.already and again.run.path == first.run.path
    assert other.run.name == "other-001"
    assert session.resume(None, terms=Terms()).run.name == "other-001"
    assert session.resume("checkpoint", terms=Terms()).already


def test_a_damaged_newest_checkpoint_falls_back_and_ends_the_same(whole, copy):
    RunDir(copy).write_summary({**RunDir(copy).summary(), "status": "running"})
    newest = copy / "checkpoints" / "step-0000000016.safetensors"
    blob = bytearray(newest.read_bytes())
    blob[-5] ^= 1
    newest.write_bytes(blob)
    warnings = []
    resume(copy, warn=warnings.append)
    assert len(warnings) == 1 and "does not match the sha256" in warnings[0]
    assert final(copy) == final(whole)
    assert epochs(copy) == epochs(whole)


def test_a_finished_run_whose_last_checkpoint_is_damaged_is_finished_again(whole, copy):
    newest = copy / "checkpoints" / "step-0000000016.safetensors"
    newest.write_bytes(newest.read_bytes()[:-5] + b"spoil")
    warnings = []
    outcome = resume(copy, warn=warnings.append)
    assert not outcome.already and outcome.status == ExitStatus.OK
    assert len(warnings) == 1 and "falling back" in warnings[0]
    assert final(copy) == final(whole)
    assert resume(copy).already


def test_all_checkpoints_damaged_is_refused(copy, spec):
    RunDir(copy).write_summary({**RunDir(copy).summary(), "status": "running"})
    for path in RunDir(copy).steps().values():
        path.write_bytes(path.read_bytes()[:100])
    for attempt in (lambda: resume(copy), lambda: train(spec, copy, auto=True)):
        with pytest.raises(CheckpointError, match="none of the 4 checkpoints") as error:
            attempt()
        assert error.value.status == ExitStatus.CHECKPOINT


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("optimizer.learning_rate=0.5", "optimizer.learning_rate: was 0.02, is now 0.5"),
        ("layers.0.units=9", "layers.0.units: was 8, is now 9"),
        ("training.seed=9", "training.seed: was 5, is now 9"),
        ("training.batch_size=31", "training.batch_size: was 32, is now 31"),
        ("regularization.l2=0.1", "regularization.l2: was 0.0, is now 0.1"),
    ],
)
def test_a_changed_spec_is_refused_with_the_difference(copy, spec, override, said):
    for attempt in (lambda: resume(copy, override), lambda: train(spec, copy, override, auto=True)):
        with pytest.raises(CheckpointError) as error:
            attempt()
        assert error.value.status == ExitStatus.CHECKPOINT
        assert [str(problem) for problem in error.value.problems[1:]] == [said]


def test_what_may_change_does_not_hinder(copy):
    allowed = [
        "training.threads=1",
        "checkpoint.keep=2",
        "training.log_every=1",
        "gates=['loss<9']",
    ]
    assert resume(copy, *allowed).already
    outcome = resume(copy, "training.early_stopping={patience=1}", "training.epochs=5")
    assert not outcome.already and outcome.summary["steps"] > STEPS
    with pytest.raises(SpecError):
        resume(copy, "training.epochs='many'")


@pytest.mark.parametrize(
    ("row", "loss", "said"),
    [
        (
            "-1,2",
            "cross_entropy",
            "sample 7 of the test part holds -1, expected shares from 0 to 1",
        ),
        ("0,1.5", "binary_cross_entropy", "holds 1.5, expected shares from 0 to 1"),
        ("0.3,0.3", "cross_entropy", "shares that sum to 0.6, expected 1"),
        ("0,0", "cross_entropy", "shares that sum to 0, expected 1"),
        ("0.33,0.66", "cross_entropy", None),
        ("1,1", "binary_cross_entropy", None),
    ],
)
def test_rows_of_shares_must_be_shares(tmp_path, row, loss, said):
    rows = ["a,u,v"] + [f"{i % 7},{i % 2},{1 - i % 2}" for i in range(60)]
    rows[8] = f"6,{row}"
    (tmp_path / "data.csv").write_text("\n".join(rows) + "\n")
    source = '{ generate = "spirals", samples = 200, noise = 0.1, seed = 3 }'
    named = '"data.csv"\ntask = "classification"\ntargets = { y = ["u", "v"] }'
    loss_of = f'[loss]\ntype = "{loss}"\ntarget = "y"'
    spec = write_spec(tmp_path, (source, named), ('[loss]\ntype = "cross_entropy"', loss_of))
    if said is None:
        assert train(spec, tmp_path / "run").status == ExitStatus.OK
        return
    with pytest.raises(DataError) as error:
        train(spec, tmp_path / "run")
    assert said.split("part ")[-1] in str(error.value) and 'target "y": sample 7' in str(
        error.value
    )
    assert not (tmp_path / "run").exists()


def test_other_data_are_refused_and_vanished_data_are_an_error_of_the_data(tmp_path):
    rows = ["a,b,y"] + [f"{i % 7},{i % 5},{i % 2}" for i in range(60)]
    (tmp_path / "data.csv").write_text("\n".join(rows) + "\n")
    source = '{ generate = "spirals", samples = 200, noise = 0.1, seed = 3 }'
    spec = write_spec(tmp_path, (source, '"data.csv"\ntarget = "y"'))
    run = tmp_path / "run"
    train(spec, run, **stopping_at(3))
    rows[5] = "6,6,1"
    (tmp_path / "data.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(CheckpointError, match="the data are not those"):
        resume(run)
    (tmp_path / "data.csv").unlink()
    with pytest.raises(DataError):
        resume(run)


def test_another_engine_warns_that_bits_may_differ(copy, monkeypatch):
    monkeypatch.setattr("nnctl.run.training.__version__", "99.0")
    warnings = []
    resume(copy, "training.epochs=5", warn=warnings.append)
    assert len(warnings) == 1 and "this is 99.0" in warnings[0]


def test_going_back_branches_into_a_new_run(whole, copy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(path.name for path in copy.rglob("*"))
    outcome = session.resume(str(copy), at=2, terms=Terms())
    assert str(outcome.run.path) == "runs/little-001"
    assert outcome.summary["parent"] == {
        "run": "copy",
        "file": "step-0000000008.safetensors",
        "epoch": 2,
        "step": 8,
    }
    assert final(outcome.run.path) == final(whole)
    assert sorted(path.name for path in copy.rglob("*")) == before
    with pytest.raises(CheckpointError, match="no checkpoint of the end of epoch 9") as error:
        session.resume(str(copy), at=9, terms=Terms())
    assert "kept: 1, 2, 3, 4" in error.value.problems[0].hint


def test_a_checkpoint_file_alone_is_enough_to_go_on(whole, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(whole / "checkpoints" / "step-0000000004.safetensors", tmp_path / "alone")
    outcome = session.resume("alone", run_dir=tmp_path / "new", terms=Terms())
    assert outcome.summary["parent"]["step"] == 4 and outcome.summary["parent"]["run"] is None
    assert final(tmp_path / "new") == final(whole)


def test_the_newest_file_of_a_run_means_the_run(copy):
    newest = copy / "checkpoints" / "step-0000000016.safetensors"
    assert resume(newest).already
    with pytest.raises(UsageError, match="--run-dir is for a new run"):
        session.resume(str(copy), run_dir=copy / "x", terms=Terms())


def test_divergence_keeps_the_last_good_state(tmp_path, spec):
    wild = 'optimizer={ type = "sgd", learning_rate = 1e6 }'
    outcome = train(spec, tmp_path / "run", wild, "training.epochs=99")
    assert (outcome.status, outcome.reason) == (ExitStatus.DIVERGED, "diverged")
    assert outcome.tensor
    tensors, meta = checkpoint.load(tmp_path / "run" / "checkpoints" / "latest.safetensors")
    assert meta["state"]["step"] == outcome.summary["steps"]
    assert all(np.isfinite(value).all() for value in tensors.values())
    again = resume(tmp_path / "run")
    assert again.already and again.status == ExitStatus.DIVERGED and again.tensor == outcome.tensor


def test_a_full_disk_loses_nothing_and_says_so(whole, tmp_path, spec, monkeypatch):
    run = tmp_path / "run"
    real = os.write

    def write(handle, data):
        name = os.readlink(f"/proc/self/fd/{handle}")
        if "step-0000000012" in name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr(files.os, "write", write)
    with pytest.raises(CheckpointError, match="No space left on device") as error:
        train(spec, run)
    assert error.value.status == ExitStatus.CHECKPOINT
    monkeypatch.setattr(files.os, "write", real)
    assert sorted(RunDir(run).steps()) == [4, 8]
    resume(run)
    assert final(run) == final(whole)


def test_a_directory_that_cannot_be_written_is_known_before_any_work(spec):
    with pytest.raises(UsageError, match="as a run directory"):
        train(spec, Path("/proc/nnctl/run"))


def test_two_sessions_in_one_run_are_refused(copy):
    with RunDir(copy).lock(), pytest.raises(UsageError, match="another nnctl is at work"):
        resume(copy)


def test_nothing_of_the_machine_is_in_a_checkpoint(whole):
    blob = final(whole)
    assert str(whole).encode() not in blob and os.uname().nodename.encode() not in blob
    _, meta = checkpoint.load(whole / "checkpoints" / "latest.safetensors")
    assert "threads" not in meta["spec"]


def test_a_wrong_spec_leaves_no_run_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = write_spec(tmp_path, ("units = 2", "units = 3"))
    with pytest.raises(SpecError):
        train(broken, None)
    with pytest.raises(SpecError):
        train(broken, tmp_path / "run")
    assert not (tmp_path / "runs").exists() and not (tmp_path / "run").exists()


def test_the_summary_tells_how_it_went(whole):
    summary = json.loads((whole / "summary.json").read_text())
    assert summary["status"] == "finished" and summary["exit_code"] == 0
    assert summary["epochs"] == 4 and summary["steps"] == STEPS
    assert summary["samples"] == {"train": 120, "validation": 30, "test": 50}
    assert summary["best"]["monitor"] == "validation.loss"
    assert set(summary["metrics"]) == {"train", "validation", "test"}
    assert (whole / "spec.toml").read_text().startswith('\nname = "little"')
    assert "epsilon" in (whole / "resolved.toml").read_text()


def test_figures_of_single_classes_can_be_followed_and_watched(tmp_path):
    followed = (
        "[checkpoint]",
        'early_stopping = { monitor = "validation.recall[1]" }\n[checkpoint]',
    )
    spec = write_spec(tmp_path, followed, ('name = "little"', 'metrics = ["recall[0]", "loss"]'))
    outcome = train(spec, tmp_path / "run")
    assert outcome.summary["best"]["monitor"] == "validation.recall[1]"
    assert set(outcome.summary["metrics"]["test"]) == {"loss", "recall[0]", "recall[1]"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('metrics = ["recall[9]"]', "metrics.0: no class is named"),
        ('metrics = ["mae"]', 'metrics.0: "mae" is not measured'),
    ],
)
def test_a_metric_that_this_network_has_not_is_refused_by_line(tmp_path, change, said):
    spec = write_spec(tmp_path, ('name = "little"', change))
    with pytest.raises(SpecError) as error:
        train(spec, tmp_path / "run")
    assert "little.toml:2:" in str(error.value) and said in str(error.value)
    assert not (tmp_path / "run").exists(), "nothing is begun with a spec that cannot be honored"
