"""Runs of networks with batch normalization: exact resume, best states, rates that it bears."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from nnctl import checkpoint
from nnctl.errors import DivergedError, SpecError
from nnctl.run import eventlog
from nnctl.run.rundir import RunDir
from tests.run.runs import final, nnctl, train, write_spec
from tests.run.test_kills import QUICK, kill_on_the_way

SPECS = Path(__file__).resolve().parents[2] / "specs"
NORM = (
    'activation = "relu"\n',
    '[[layers]]\ntype = "batch_norm"\n[[layers]]\ntype = "relu"\n',
)


def test_sigkill_of_a_run_with_batch_norm_changes_no_bit(tmp_path):
    spec = write_spec(
        tmp_path, NORM, ("epochs = 4", "epochs = 40"), ("keep = 100", "keep = 2"), QUICK
    )
    assert nnctl("train", spec, "--run-dir", "whole", "-q", cwd=tmp_path).returncode == 0
    run, chance = RunDir(tmp_path / "run"), random.Random(2)
    for threads in (1, 2):
        kill_on_the_way(spec, run, threads, chance, 50)
    assert nnctl("resume", "run", "-q", cwd=tmp_path).returncode == 0
    assert final(tmp_path / "run") == final(tmp_path / "whole")
    found, whole = (
        [e["metrics"] for e in eventlog.read(folder / "events.jsonl") if e["event"] == "epoch"]
        for folder in (run.path, tmp_path / "whole")
    )
    assert found == whole


def test_a_checkpoint_holds_running_statistics_and_those_of_the_best(tmp_path):
    stopping = ("seed = 5", "seed = 5\nearly_stopping = { patience = 2 }")
    spec = write_spec(tmp_path, NORM, stopping, ("epochs = 4", "epochs = 60"), ("0.02", "0.3"))
    train(spec, tmp_path / "run")
    tensors, _ = checkpoint.load(RunDir(tmp_path / "run").latest)
    best, _ = checkpoint.load(RunDir(tmp_path / "run").best)
    names = {"batch_norm_1.running_mean", "batch_norm_1.running_var"}
    assert {n.removeprefix("state/") for n in tensors if n.startswith("state/")} == names
    for name in names:
        assert np.array_equal(tensors[f"state/{name}"], best[f"state/{name}"])
        assert not np.array_equal(tensors[f"state/{name}"], tensors[f"trained/state/{name}"])


@pytest.mark.parametrize("name", ["plain", "batch_norm"])
def test_batch_norm_bears_a_rate_at_which_the_plain_network_diverges(tmp_path, name):
    spec = SPECS / f"digits_deep_{name}.toml"
    overrides = ("optimizer.learning_rate=1.0", "training.threads=1")
    if name == "plain":
        with pytest.raises(DivergedError):
            _train(spec, tmp_path / "run", *overrides)
        return
    outcome = _train(spec, tmp_path / "run", *overrides)
    assert outcome.summary["metrics"]["test"]["accuracy"] > 0.95


def _train(spec, run_dir, *overrides):
    outcome = train(spec, run_dir, *overrides)
    if outcome.status == 4:
        raise DivergedError(outcome.reason)
    return outcome


class TestBatchesOfOne:
    """One sample of one place has no variance: said before anything is trained."""

    def test_a_batch_size_of_one(self, tmp_path):
        spec = write_spec(tmp_path, NORM, ("batch_size = 32", "batch_size = 1"))
        found = nnctl("check", spec, cwd=tmp_path)
        assert found.returncode == 2
        assert 'batch_norm in "batch_norm_1" cannot learn from a batch of 1 sample' in found.stderr
        assert "use batches of 2 samples or more" in found.stderr

    def test_a_last_batch_of_one(self, tmp_path):
        spec = write_spec(tmp_path, NORM, ("batch_size = 32", "batch_size = 17"))
        with pytest.raises(SpecError) as caught:
            train(spec, tmp_path / "run")
        said = str(caught.value)
        assert "120 training samples in batches of 17 end with one of 1" in said
        assert "set batch_size = 16" in said
        assert not (tmp_path / "run").exists()

    def test_a_last_batch_of_one_is_seen_before_the_data_are_read(self, tmp_path):
        spec = write_spec(tmp_path, NORM, ("batch_size = 32", "batch_size = 17"))
        found = nnctl("check", spec, cwd=tmp_path)
        assert found.returncode == 2
        assert "120 training samples in batches of 17 end with one of 1" in found.stderr
        for limit, status in ((119, 0), (103, 2), (102, 0)):  # 17 * 7, 17 * 6 + 1, 17 * 6
            found = nnctl("check", spec, "--set", f"data.limit={limit}", cwd=tmp_path)
            assert found.returncode == status

    def test_a_trace_of_one_sample(self, tmp_path):
        found = nnctl("verify", write_spec(tmp_path, NORM), "--trace", "0", cwd=tmp_path)
        assert found.returncode == 2
        assert "cannot learn from a batch of 1 sample" in found.stderr
