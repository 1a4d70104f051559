"""Real processes: killed at random moments, stopped by signals, out of time; the bits stay."""

from __future__ import annotations

import random
import signal
import subprocess
import time

import pytest

from nnctl.run import eventlog
from nnctl.run.rundir import RunDir
from tests.run.runs import command, environment, final, nnctl, write_spec

LONG = ("epochs = 4", "epochs = 1000000")
QUICK = ("every_epochs = 1", "every_steps = 1\nevery_epochs = 1")


def start(*arguments, cwd):
    """Start nnctl, with SIGINT heard also where these tests run behind a shell that ignores it."""
    return subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear,
    )


def _hear():
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(condition, process, seconds=60.0):
    """Wait until something is so, as long as the process lives."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def kill_on_the_way(spec, run, threads, chance, most):
    """Start the run or go on with it, and kill it at a random moment some steps later."""
    last = max(run.steps(), default=0)
    arguments = ["train", spec, "--run-dir", "run", "--resume", "auto", "--threads", threads]
    process = start(*arguments, cwd=run.path.parent)
    goal = last + chance.randrange(1, most)
    wait_for(lambda: max(run.steps(), default=0) >= goal, process)
    time.sleep(chance.random() * 0.01)
    process.kill()
    assert finish(process)[0] == -signal.SIGKILL


def finish(process):
    """Return (exit code, stdout, stderr) of a process that must end soon."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_sigkill_at_random_moments_of_real_runs_changes_no_bit(tmp_path):
    spec = write_spec(tmp_path, ("epochs = 4", "epochs = 60"), ("keep = 100", "keep = 2"), QUICK)
    assert nnctl("train", spec, "--run-dir", "whole", "-q", cwd=tmp_path).returncode == 0
    run, chance = RunDir(tmp_path / "run"), random.Random(1)
    for threads in (1, 2, 1):
        kill_on_the_way(spec, run, threads, chance, 60)
    result = nnctl("resume", "run", "-q", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert final(tmp_path / "run") == final(tmp_path / "whole")
    whole = [e for e in eventlog.read(tmp_path / "whole" / "events.jsonl") if e["event"] == "epoch"]
    found = [e for e in eventlog.read(run.events) if e["event"] == "epoch"]
    assert [e["metrics"] for e in found] == [e["metrics"] for e in whole]
    assert not list(run.checkpoints.glob(".*")), "what killed writers left is cleared away"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_the_step_and_writes_a_checkpoint(tmp_path, number, code):
    process = start("train", write_spec(tmp_path, LONG), "--run-dir", "run", cwd=tmp_path)
    run = RunDir(tmp_path / "run")
    wait_for(lambda: run.latest.exists(), process)
    process.send_signal(number)
    status, out, err = finish(process)
    assert status == code, err
    assert f"stopped ({number.name})" in out
    summary = run.summary()
    assert summary["status"] == "stopped" and summary["exit_code"] == code
    assert max(run.steps()) == summary["steps"] > 0
    assert nnctl("checkpoint", "verify", "run", cwd=tmp_path).returncode == 0


def test_a_second_signal_ends_at_once(tmp_path):
    process = start("train", write_spec(tmp_path, LONG), "--run-dir", "run", cwd=tmp_path)
    wait_for((tmp_path / "run" / "checkpoints" / "latest.safetensors").exists, process)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    assert finish(process)[0] in (-signal.SIGTERM, 143)


def test_a_signal_before_training_begins_ends_it_with_its_code(tmp_path):
    process = start("train", write_spec(tmp_path, LONG), "--run-dir", "run", cwd=tmp_path)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    # So early that the interpreter itself may be the one to end; the shell sees 130 either way.
    assert finish(process)[0] in (130, -signal.SIGINT)


def test_the_loop_of_a_pipeline_ends_in_the_bits_of_one_run(tmp_path):
    spec = write_spec(tmp_path)
    assert nnctl("train", spec, "--run-dir", "whole", cwd=tmp_path).returncode == 0
    line = " ".join(command("train", spec, "--run-dir", "run", "--resume", "auto"))
    loop = f"until {line} --max-time $1s; do [ $? -eq 75 ] || exit 1; echo again; done"
    # A budget that is spent before the first step buys one step a round; then enough for all.
    for rounds, budget in enumerate(("0.01", "0.01", "600"), 1):
        once = loop if budget == "600" else f"{line} --max-time $1s"
        result = subprocess.run(
            ["sh", "-c", once, "sh", budget],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert result.returncode == (0 if budget == "600" else 75), result.stderr
        if budget != "600":
            assert RunDir(tmp_path / "run").summary()["steps"] == rounds
    assert final(tmp_path / "run") == final(tmp_path / "whole")


def test_a_full_disk_is_said_and_what_was_written_stays(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small disk here")
    try:
        spec = write_spec(tmp_path, LONG)
        result = nnctl("train", spec, "--run-dir", "disk/run", "-q", cwd=tmp_path)
        assert result.returncode == 6, result.stderr
        assert "No space left on device" in result.stderr
        assert "files written before are whole" in result.stderr
        run = RunDir(disk / "run")
        assert run.steps(), "there was room for one"
        assert nnctl("checkpoint", "verify", "disk/run", cwd=tmp_path).returncode == 0
        assert not list(run.checkpoints.glob(".*.tmp"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
