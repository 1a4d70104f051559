"""Long tests, bounded by their arguments: ``python -m tests.soak --kills 100 --seconds 600``.

Three parts, each until its share of the seconds is used up, or its count is reached:

    kills        trainings of shipped and drawn specs, SIGKILLed at random moments and resumed
                 with changing thread counts, must end in the bytes of one that ran through
    saves        processes SIGKILLed while they write checkpoints: what is there must load
    fuzz         specs and checkpoints with random damage must be refused in words, never crash

Prints one line a finding and a summary; ends with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT = 300.0  # seconds for one process; more is a hang

SAVER = """
import sys, numpy as np
from pathlib import Path
from nnctl import checkpoint
from nnctl.run.keeper import Keeper
from nnctl.run.rundir import RunDir
from nnctl.train.state import Counters, TrainState
run = RunDir(Path(sys.argv[1])); run.prepare()
keeper = Keeper(run, {"spec": "x"}, {}, keep=2)
step = max(run.steps(), default=0)
while True:
    step += 1
    values = np.full(50_000, step, dtype=np.float64)
    keeper.write(TrainState(Counters(step=step), {"param/w": values}), {})
    print(step, flush=True)
"""


@dataclass
class Soak:
    """What is asked for, and what was found."""

    kills: int
    deadline: float
    chance: random.Random
    folder: Path
    found: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def say(self, text: str) -> None:
        self.found.append(text)
        print(f"FOUND {text}", flush=True)

    def keep(self) -> str:
        """Copy everything to where it stays; returns where that is, in words."""
        kept = Path(tempfile.mkdtemp(prefix="soak-"))
        shutil.copytree(self.folder, kept / "case", symlinks=True)
        return f"kept in {kept}"

    def count(self, what: str, by: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + by

    def until(self, share: float) -> Iterator[None]:
        """Yield until a share of the time that is left has passed."""
        end = time.monotonic() + max(0.0, self.deadline - time.monotonic()) * share
        while time.monotonic() < end:
            yield


def nnctl(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nnctl", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


def final(run: Path) -> str:
    """Return the hash of the newest checkpoint."""
    return hashlib.sha256((run / "checkpoints/latest.safetensors").read_bytes()).hexdigest()[:16]


# -- kills -------------------------------------------------------------------------------------


def drawn(chance: random.Random) -> str:
    """Return a spec drawn at random from what there is."""
    pick = chance.choice
    layers = []
    for _ in range(chance.randint(0, 3)):
        layers.append(
            f'[[layers]]\ntype = "dense"\nunits = {chance.randint(1, 40)}\n'
            f'activation = "{pick(["relu", "tanh", "gelu", "sigmoid", "elu", "silu"])}"\n'
        )
        if chance.random() < 0.5:
            layers.append(f'[[layers]]\ntype = "dropout"\nrate = {pick([0.1, 0.5, 0.9])}\n')
    optimizer = pick(
        [
            '{ type = "adam", learning_rate = 0.01 }',
            '{ type = "sgd", learning_rate = 0.05 }',
            '{ type = "sgd", learning_rate = 0.02, momentum = 0.9 }',
            '{ type = "sgd", learning_rate = 0.02, momentum = 0.9, nesterov = true }',
        ]
    )
    stopping = pick(["", "early_stopping = { patience = 4 }\n", "max_steps = 333\n"])
    batch = pick(['"full"', 1, 7, 32, 1000])
    schedule = pick(["", '[schedule]\ntype = "linear_annealing"\nfinal = 1e-4\nepochs = 9\n'])
    return (
        f'name = "drawn"\noptimizer = {optimizer}\n'
        f'[data]\nsource = {{ generate = "spirals", samples = {chance.randint(40, 300)} }}\n'
        f'split = {{ train = 0.75, test = 0.25, validation = 0.2 }}\nnormalize = "standard"\n'
        f'{"".join(layers)}[[layers]]\ntype = "dense"\nunits = 2\n'
        f'[loss]\ntype = "cross_entropy"\n{schedule}'
        f"[regularization]\nl2 = {pick([0.0, 0.001])}\n"
        f"[training]\nepochs = {chance.randint(5, 40)}\nbatch_size = {batch}\n"
        f'dtype = "{pick(["float32", "float64"])}"\nseed = {chance.randint(0, 99)}\n{stopping}'
        f"[checkpoint]\nkeep = {chance.randint(1, 4)}\nevery_steps = {chance.randint(1, 9)}\n"
    )


def kill_loop(soak: Soak) -> None:
    shipped = sorted((ROOT / "specs").glob("*.toml"))
    for _ in soak.until(0.6):
        if soak.counts.get("kills", 0) >= soak.kills:
            return
        spec = soak.folder / "drawn.toml"
        overrides: list[str] = []
        if soak.chance.random() < 0.6:
            spec.write_text(drawn(soak.chance))
        else:
            spec = soak.chance.choice(shipped)
            overrides = ["--set", "checkpoint.every_steps=3"]
            if soak.chance.random() < 0.7:
                overrides += ["--set", f"training.epochs={soak.chance.randint(1, 12)}"]
        one_training(soak, spec, overrides)


def one_training(soak: Soak, spec: Path, overrides: list[str]) -> None:
    whole, run = soak.folder / "whole", soak.folder / "run"
    for path in (whole, run):
        shutil.rmtree(path, ignore_errors=True)
    began = time.monotonic()
    result = nnctl("train", spec, "--run-dir", whole, "-q", *overrides, cwd=soak.folder)
    if result.returncode not in (0, 4, 5):
        soak.say(f"{spec}: exit {result.returncode}: {result.stderr.strip()}; {soak.keep()}")
        return
    span = time.monotonic() - began
    for _ in range(soak.chance.randint(1, 4)):
        threads = soak.chance.randint(1, 3)
        arguments = ["train", spec, "--run-dir", run, "--resume", "auto", "-q", *overrides]
        code = killed_after(soak, soak.chance.random() * span, [*arguments, "--threads", threads])
        soak.count("kills", code == -signal.SIGKILL)
    result = nnctl("train", spec, "--run-dir", run, "--resume", "auto", *overrides, cwd=soak.folder)
    soak.count("trainings")
    if result.returncode not in (0, 4, 5):
        said = result.stderr.strip()
        soak.say(f"{spec}: resumed, exit {result.returncode}: {said}; {soak.keep()}")
    elif final(run) != final(whole):
        soak.say(f"{spec} {overrides}: other bits after kills; {soak.keep()}")


def killed_after(soak: Soak, seconds: float, arguments: list[object]) -> int:
    """Run nnctl and kill it after some time; returns its exit code."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nnctl", *map(str, arguments)],
        cwd=soak.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(seconds)
    process.kill()
    return process.wait()


# -- saves -------------------------------------------------------------------------------------


def save_loop(soak: Soak) -> None:
    from nnctl import checkpoint
    from nnctl.errors import CheckpointError
    from nnctl.run.rundir import RunDir

    run = RunDir(soak.folder / "saves")
    for _ in soak.until(0.5):
        if soak.counts.get("saves killed", 0) >= soak.kills:
            return
        process = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(run.path)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        said = process.stdout.readline() if process.stdout else ""
        time.sleep(soak.chance.random() * 0.05)
        process.kill()
        rest = process.communicate()[0].split()
        soak.count("saves killed")
        last = int((rest or [said])[-1])
        steps = run.steps()
        if not steps or max(steps) < last:
            soak.say(f"step {last} was said to be written, and {max(steps, default=0)} is there")
        for path in [*steps.values(), run.latest, run.best]:
            try:
                checkpoint.load(path)
            except CheckpointError as error:
                soak.say(f"after a kill: {error}")


# -- fuzz --------------------------------------------------------------------------------------


def damaged(blob: bytes, chance: random.Random) -> bytes:
    """Return bytes with random damage of some kind."""
    data = bytearray(blob)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) or 1)
        kind = chance.randrange(5)
        if kind == 0 and data:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at : at + chance.randint(1, 50)]
        elif kind == 2:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 9)))
        elif kind == 3:
            del data[at:]
        else:
            size = chance.randint(1, 30)
            data[at:at] = data[at : at + size]
    return bytes(data)


def fuzz_loop(soak: Soak) -> None:
    import numpy as np

    from nnctl import checkpoint
    from nnctl.errors import NnctlError
    from nnctl.spec import load_spec
    from nnctl.train.state import TrainState

    blob = checkpoint.encode({"param/w": np.arange(99.0)}, {"spec": "x", "state": {"epoch": 1}})
    specs = [path.read_bytes() for path in sorted((ROOT / "specs").glob("*.toml"))]
    target = soak.folder / "fuzzed.toml"
    for _ in soak.until(1.0):
        broken = damaged(blob, soak.chance)
        soak.count("checkpoints fuzzed")
        try:
            TrainState.from_tensors(*checkpoint.decode(broken))
            if broken != blob:
                soak.say(f"a damaged checkpoint was read: {broken!r}")
        except NnctlError:
            pass
        except Exception as error:
            soak.say(f"checkpoint: {type(error).__name__}: {error}: {broken!r}")
        target.write_bytes(damaged(soak.chance.choice(specs), soak.chance))
        soak.count("specs fuzzed")
        try:
            load_spec(target)
        except NnctlError:
            pass
        except Exception as error:
            soak.say(f"spec: {type(error).__name__}: {error}: {target.read_bytes()!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=100, help="kills of each kind at most")
    parser.add_argument("--seconds", type=float, default=600.0, help="time for everything")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=["kills", "saves", "fuzz"], default=None)
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    parts = {"kills": kill_loop, "saves": save_loop, "fuzz": fuzz_loop}
    with tempfile.TemporaryDirectory(prefix="nnctl-soak-") as folder:
        soak = Soak(
            asked.kills,
            time.monotonic() + asked.seconds,
            random.Random(asked.seed),
            Path(folder),
        )
        for name, part in parts.items():
            if asked.only in (None, name):
                part(soak)
    print(", ".join(f"{count} {what}" for what, count in soak.counts.items()))
    print(f"{len(soak.found)} found")
    return 1 if soak.found else 0


if __name__ == "__main__":
    sys.exit(main())
