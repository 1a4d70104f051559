"""Run directories: names, locks, links, logs, what is kept; nothing of it by file times."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from nnctl import checkpoint
from nnctl.errors import CheckpointError, ExitStatus, UsageError
from nnctl.run import eventlog, rundir
from nnctl.run.eventlog import EventLog
from nnctl.run.keeper import Keeper, newest_whole, prune, set_aside
from nnctl.run.locate import locate
from nnctl.run.recorder import record
from nnctl.run.rundir import RunDir
from nnctl.train import events
from nnctl.train.monitors import BestMonitor, Cadence
from nnctl.train.state import TrainState
from nnctl.train.stopping import Epochs
from tests.train.fake_plan import FakePlan, make_job, problem

EVERY_EPOCH = 1


def trained(run, epochs=4, keep=3, state=None, on_event=lambda event: None, **changes):
    """Train a FakePlan in a run directory; returns (the last event, the state)."""
    run.prepare()
    plan = FakePlan(*problem(), 16)
    state = state or TrainState()
    if state.tensors:
        plan.restore(state.tensors)
    settings = {"rules": [Epochs(epochs)], "cadence": Cadence(every_epochs=EVERY_EPOCH), **changes}
    log = EventLog(run.events)
    keeper = Keeper(run, {"spec": "x"}, {"normalize/mean": np.zeros(2)}, keep)
    try:
        return record(make_job(plan, **settings), state, keeper, log, on_event), state
    finally:
        log.close()


def names(run):
    return sorted(path.name for path in run.checkpoints.iterdir())


def epochs_of(run):
    return [line["epoch"] for line in eventlog.read(run.events) if line["event"] == "epoch"]


def test_runs_are_numbered_and_claimed_by_one(tmp_path):
    first, second = rundir.claim("net", tmp_path / "runs"), rundir.claim("net", tmp_path / "runs")
    other = rundir.claim("net-b", tmp_path / "runs")
    assert [r.name for r in (first, second, other)] == ["net-001", "net-002", "net-b-001"]
    (tmp_path / "runs" / "net-999").mkdir()
    assert rundir.claim("net", tmp_path / "runs").name == "net-1000"


def test_a_claim_that_somebody_else_wins_takes_the_next(tmp_path, monkeypatch):
    (tmp_path / "net-001").mkdir()
    monkeypatch.setattr(rundir, "_numbers", lambda name, root: [])
    assert rundir.claim("net", tmp_path).name == "net-002"


def test_the_directory_asked_for_must_not_exist(tmp_path):
    assert rundir.create(tmp_path / "a" / "b").path.is_dir()
    with pytest.raises(UsageError, match="exists already") as error:
        rundir.create(tmp_path / "a" / "b")
    assert error.value.status == ExitStatus.USAGE
    assert "--resume auto" in error.value.problems[0].hint


def test_a_directory_that_cannot_be_made_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="as a run directory"):
        rundir.create(tmp_path / "file" / "run")
    with pytest.raises(UsageError, match="as a run directory"):
        rundir.claim("net", tmp_path / "file")


def test_the_newest_run_is_by_start_and_not_by_file_times(tmp_path):
    for name, started in [
        ("a-001", "2026-03-01"),
        ("b-001", "2026-02-01"),
        ("a-002", "2026-01-01"),
    ]:
        run = rundir.create(tmp_path / name)
        run.write_summary({"started": started, "name": name[0]})
        os.utime(run.path / "summary.json", (1, 1) if name == "a-001" else None)
    rundir.create(tmp_path / "c-001")
    (tmp_path / "b-001" / "summary.json.broken").write_text("{")
    assert rundir.newest(tmp_path).name == "a-001"
    assert rundir.newest(tmp_path, "b").name == "b-001"
    assert rundir.newest(tmp_path, "zzz") is None
    assert rundir.newest(tmp_path / "nowhere") is None


def test_a_lock_keeps_others_out_until_the_process_ends(tmp_path):
    run = rundir.create(tmp_path / "r")
    code = (
        "import sys, pathlib; from nnctl.run.rundir import RunDir; "
        "RunDir(pathlib.Path(sys.argv[1])).lock(); print('locked', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(run.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(UsageError, match="another nnctl is at work"):
            run.lock()
        other.kill()
    with run.lock(), pytest.raises(UsageError, match="another nnctl"):
        run.lock()
    run.lock().close()


def test_checkpoints_are_linked_and_old_ones_go(tmp_path):
    run = RunDir(tmp_path / "r")
    trained(run, epochs=6, keep=2)
    steps = ["step-0000000020.safetensors", "step-0000000024.safetensors"]
    assert names(run) == ["best.safetensors", "latest.safetensors", *steps]
    assert os.readlink(run.latest) == os.readlink(run.best) == steps[-1]
    tensors, meta = checkpoint.load(run.latest)
    assert meta["state"]["step"] == 24
    assert "normalize/mean" in tensors
    assert set(meta["metrics"]) == {"train", "validation", "test"}


def test_the_best_is_never_removed_and_its_file_is_a_checkpoint_of_its_step(tmp_path):
    run, early = RunDir(tmp_path / "r"), RunDir(tmp_path / "early")
    monitor = BestMonitor("validation.loss", higher_is_better=False)
    _, state = trained(run, epochs=25, keep=1, monitor=monitor)
    best = state.best.counters
    assert best.step < state.counters.step
    assert sorted(run.steps()) == [best.step, state.counters.step]
    assert run.best.resolve().name == run.step_path(best.step).name
    trained(early, epochs=best.epoch, monitor=monitor)
    assert run.best.read_bytes() == early.latest.read_bytes()


def test_the_best_is_written_before_a_latest_that_knows_of_it(tmp_path):
    run = RunDir(tmp_path / "r")
    monitor = BestMonitor("validation.loss", higher_is_better=False)
    _, state = trained(run, epochs=25, keep=1, monitor=monitor, cadence=Cadence(every_seconds=1e9))
    # One checkpoint only, at the end; the best one was held in memory until then.
    assert sorted(run.steps()) == [state.best.counters.step, state.counters.step]


def test_a_resumed_run_ends_in_the_same_files(tmp_path):
    whole, cut = RunDir(tmp_path / "whole"), RunDir(tmp_path / "cut")
    monitor = BestMonitor("validation.loss", higher_is_better=False)
    trained(whole, epochs=25, monitor=monitor)
    for epochs in (3, 21, 25):
        found = newest_whole(cut, lambda text: None)
        state = TrainState.from_tensors(*_network(found)) if found else TrainState()
        eventlog.cut(cut.events, state.counters.epoch, state.counters.step)
        trained(cut, epochs=epochs, state=state, monitor=monitor)
    assert names(cut) == names(whole)
    for path in whole.checkpoints.iterdir():
        assert (cut.checkpoints / path.name).read_bytes() == path.read_bytes(), path.name
    assert epochs_of(cut) == epochs_of(whole) == list(range(1, 26))


def _network(found):
    tensors, meta, _ = found
    return {n: t for n, t in tensors.items() if not n.startswith("normalize/")}, meta


def test_a_damaged_newest_falls_back_with_a_warning(tmp_path):
    run = RunDir(tmp_path / "r")
    trained(run, epochs=4, keep=3)
    newest = run.step_path(16)
    newest.write_bytes(newest.read_bytes()[:-1])
    warnings = []
    _, meta, path = newest_whole(run, warnings.append)
    assert meta["state"]["step"] == 12 and path == run.step_path(12)
    assert len(warnings) == 1 and str(newest) in warnings[0] and "warning:" in warnings[0]
    set_aside(run, 12)
    assert sorted(run.steps()) == [8, 12]
    assert newest.name + ".damaged" in names(run)


def test_all_damaged_is_an_error_and_never_a_fresh_start(tmp_path):
    run = RunDir(tmp_path / "r")
    trained(run, epochs=2)
    for path in run.steps().values():
        path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="none of the 2 checkpoints"):
        newest_whole(run, lambda text: None)
    assert newest_whole(RunDir(tmp_path / "empty"), lambda text: None) is None


def test_prune_removes_all_but_the_newest_and_the_linked(tmp_path):
    run = RunDir(tmp_path / "r")
    trained(run, epochs=5, keep=100)
    run.best.unlink()
    run.best.symlink_to(run.step_path(4).name)
    assert [path.name for path in prune(run, 2)] == [run.step_path(n).name for n in (8, 12)]
    assert sorted(run.steps()) == [4, 16, 20]


def test_leftovers_of_a_killed_writer_go_at_the_start(tmp_path):
    run = RunDir(tmp_path / "r")
    run.prepare()
    (run.checkpoints / ".step-0000000001.safetensors.x1y2.tmp").write_bytes(b"half")
    (run.path / ".summary.json.abc.tmp").write_bytes(b"half")
    run.prepare()
    assert names(run) == [] and [p.name for p in run.path.iterdir()] == ["checkpoints"]


def test_events_are_lines_with_everything_a_report_needs(tmp_path):
    run = RunDir(tmp_path / "r")
    trained(run, epochs=2, log_every=3)
    lines = list(eventlog.read(run.events))
    kinds = ["started", "step", "epoch", "step", "epoch", "finished"]
    assert [line["event"] for line in lines] == kinds
    assert set(lines[2]) == {
        "event", "epoch", "step", "running_loss", "gradient_norm", "learning_rate", "seconds",
        "metrics", "penalty", "improved",
    }  # fmt: skip
    assert set(lines[2]["metrics"]) == {"train", "validation", "test"}
    assert lines[-1]["reason"] == "epochs"


def test_events_are_cut_at_the_checkpoint(tmp_path):
    path = tmp_path / "events.jsonl"

    def line(event, epoch, step):
        return json.dumps({"event": event, "epoch": epoch, "step": step}) + "\n"

    lines = [
        line("started", 0, 0),
        line("step", 0, 5),
        line("epoch", 1, 10),
        line("stopped", 1, 10),
        line("step", 1, 15),
        line("epoch", 2, 20),
    ]
    whole = "".join(lines) + '{"event":"ep'

    def kept(epoch, step, text=whole):
        path.write_text(text)
        eventlog.cut(path, epoch, step)
        return path.read_text().splitlines(keepends=True)

    assert kept(2, 20) == lines
    assert kept(1, 20) == lines[:5], "the checkpoint of step 20 was taken before the epoch's end"
    assert kept(1, 12) == lines[:3]
    assert kept(1, 10) == lines[:3]
    assert kept(0, 10) == lines[:2]
    assert kept(0, 0) == lines[:1]
    assert kept(0, 0, "garbage\n") == []
    assert kept(0, 0, "") == []
    eventlog.cut(tmp_path / "none", 0, 0)


@pytest.mark.parametrize("block", [1, 7, 64, 1 << 16])
def test_reading_backwards_finds_the_same_lines_for_any_block(tmp_path, monkeypatch, block):
    monkeypatch.setattr(eventlog, "BLOCK", block)
    path = tmp_path / "events.jsonl"
    lines = [b"a\n", b"\n", b"long line here\n", b"x" * 100 + b"\n", b"unfinished"]
    path.write_bytes(b"".join(lines))
    with path.open("rb") as file:
        found = list(eventlog._lines_backwards(file))
    ends = np.cumsum([len(line) for line in lines]).tolist()
    assert found == list(zip(ends, lines, strict=True))[::-1]


def test_cutting_reads_only_what_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(eventlog, "BLOCK", 256)
    path = tmp_path / "events.jsonl"
    with path.open("w") as file:
        for step in range(20_000):
            print(json.dumps({"event": "step", "epoch": 0, "step": step}), file=file)
    parsed = []
    monkeypatch.setattr(
        eventlog, "_parse", lambda t, p=eventlog._parse: (parsed.append(t), p(t))[1]
    )
    eventlog.cut(path, 0, 19_989)
    assert len(parsed) == 11
    assert path.read_bytes().count(b"\n") == 19_990


def test_nan_becomes_null_in_events_and_summaries(tmp_path):
    run = rundir.create(tmp_path / "r")
    log = EventLog(run.events)
    nan = float("nan")
    log.write(events.EpochDone(1, 2, nan, 1.0, float("inf"), 0.1, {"test": {"loss": nan}}))
    log.close()
    (line,) = eventlog.read(run.events)
    assert line["running_loss"] is line["learning_rate"] is line["metrics"]["test"]["loss"] is None
    run.write_summary({"metrics": {"loss": nan}})
    assert run.summary()["metrics"] == {"loss": None}


def test_what_a_command_line_can_mean(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "runs"
    for name in ("net-001", "net-002"):
        run = RunDir(root / name)
        trained(run, epochs=2)
        run.write_summary({"started": name, "name": "net"})
    newest = RunDir(root / "net-002")
    for argument in (None, "checkpoint", "latest", "best", "net-002", "runs/net-002"):
        assert locate(argument).run.path.resolve() == newest.path
    assert locate("best").link == "best" and locate("checkpoint").link == ""
    assert locate("runs/net-001/checkpoints").run.name == "net-001"
    assert locate("runs/net-001/best").checkpoint("latest").name == "best.safetensors"
    file = locate("runs/net-001/checkpoints/latest.safetensors")
    assert file.run.name == "net-001" and file.checkpoint().name == "latest.safetensors"
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(newest.latest.read_bytes())
    assert locate("copy.safetensors").run is None
    for wrong in ("nothing", "runs/net-009", ".", "runs/net-001/checkpoints/step-1.safetensors"):
        with pytest.raises(CheckpointError):
            locate(wrong)
    monkeypatch.chdir(root)
    with pytest.raises(CheckpointError, match="there is no run"):
        locate(None)
