"""Test accuracy after the same recipe here and in PyTorch: some seeds each, and how far apart.

Ours is ``nnctl train``, a run for each seed. The peer has the same network, images, normalization,
starts' distributions and rates, but draws of its own: first values and orders of other seeds. So
the accuracies are independent samples, and the error of the difference of means is Welch's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, variance

import numpy as np

from nnctl.errors import NnctlError, UsageError
from nnctl.spec import Spec
from tests.bench.ours import read
from tests.bench.workloads import SPECS

ROOT = Path(__file__).resolve().parents[2]
WORKLOAD = "resnet20"
FILE = SPECS / f"{WORKLOAD}.toml"
RECIPE = (
    'optimizer={ type="sgd", learning_rate=0.1, momentum=0.9 }',
    "regularization={ l2=1e-4 }",
    'data.normalize="standard"',
    "training.evaluate_every=0",
    "training.evaluate_train=false",
)
PEER_SEEDS = 1000  # the peer's seeds start here


@dataclass(frozen=True)
class Accuracies:
    """Test accuracies of the seeds of each side."""

    workload: str
    epochs: int
    ours: list[float]
    peer: list[float]

    @property
    def difference(self) -> float:
        """Mean of ours less mean of the peer's."""
        return mean(self.ours) - mean(self.peer)

    @property
    def error(self) -> float:
        """Standard error of the difference."""
        return (variance(self.ours) / len(self.ours) + variance(self.peer) / len(self.peer)) ** 0.5

    @property
    def is_met(self) -> bool:
        """Whether ours is not worse by twice the error or more."""
        return self.difference > -2 * self.error

    def to_json(self) -> dict[str, object]:
        """Return the accuracies and what follows from them."""
        return asdict(self) | {"difference": self.difference, "error": self.error}


def recipe(folder: Path, epochs: int, seed: int) -> tuple[str, ...]:
    """Return the overrides of the workload's spec that train it on a folder of images."""
    if not all((folder / part).is_dir() for part in ("train", "test")):
        raise UsageError(f"{folder} has no train/ and test/", "each with a folder for each class")
    classes = len([path for path in (folder / "train").iterdir() if path.is_dir()])
    last = len(tomllib.loads(FILE.read_text(encoding="utf-8"))["layers"]) - 1
    return (
        *RECIPE,
        f"data.source={json.dumps(str(folder.resolve()) + '/')}",
        f"layers.{last}.units={classes}",
        f'schedule={{ type="linear_annealing", final=0.001, epochs={epochs} }}',
        f"training.epochs={epochs}",
        f"training.seed={seed}",
    )


def train_ours(overrides: Sequence[str], threads: int) -> float:
    """Return the test accuracy of a run of ``nnctl train``."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nnctl", "train", str(FILE)]
        command += ["--run-dir", f"{folder}/run", "--threads", str(threads), "--json", "--quiet"]
        command += [word for override in overrides for word in ("--set", override)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NnctlError(f"nnctl train failed:\n{done.stdout}{done.stderr}")
    return float(json.loads(done.stdout)["metrics"]["test"]["accuracy"])


def train_peer(spec: Spec, seed: int, threads: int) -> float:
    """Return the test accuracy of the peer, from the first values and orders of another seed."""
    from nnctl.init import initialize
    from nnctl.optim.schedules import rates
    from nnctl.run.prepare import prepare
    from tests.bench.peer.side import Peer
    from tests.bench.work import seen, work_of

    prepared = prepare(spec, threads)
    prepared.plan.close()
    work = work_of(prepared, initialize(prepared.graph, seed))
    network = {**work.network, "schedule": "constant"}  # the rates are handed to it
    peer = Peer(replace(work, network=network), threads, "channels_last")
    count, size = prepared.parts["train"].samples, prepared.batch_size
    each = -(-count // size)
    rate = rates(spec.schedule, spec.optimizer, 0, spec.training.epochs * each, each)
    stream = np.random.default_rng(seed)
    for epoch in range(spec.training.epochs):
        peer.train_epoch(stream.permutation(count), rate[epoch * each : (epoch + 1) * each])
    test = prepared.parts["test"]
    images = [seen(x, prepared.normalizer.inputs.get(name)) for name, x in test.inputs.items()]
    (outputs,) = peer.outputs(images)
    return float(np.mean(outputs.argmax(1) == next(iter(test.targets.values()))))


def compare(
    folder: Path, epochs: int, seeds: int, threads: int, note: Callable[[str], None]
) -> Accuracies:
    """Train both sides from every seed. Raises NnctlError."""
    if seeds < 2:
        raise UsageError("one seed tells nothing of the error", "give at least 2")
    found: tuple[list[float], list[float]] = ([], [])
    for k in range(seeds):
        found[0].append(train_ours(recipe(folder, epochs, k), threads))
        note(f"seed {k}: ours {found[0][-1]:.4f}")
        spec = read(WORKLOAD, recipe(folder, epochs, k))
        found[1].append(train_peer(spec, PEER_SEEDS + k, threads))
        note(f"seed {PEER_SEEDS + k}: peer {found[1][-1]:.4f}")
    return Accuracies(WORKLOAD, epochs, *found)


def text(found: Accuracies) -> str:
    """Return the comparison for a person."""
    said = [f"{found.workload}, {found.epochs} epochs, test accuracy"]
    for name, values in (("ours", found.ours), ("peer", found.peer)):
        said.append(f"  {name}  mean {mean(values):.4f}  of {' '.join(f'{v:.4f}' for v in values)}")
    verdict = "met" if found.is_met else "MISSED"
    said.append(
        f"  difference {found.difference:+.4f}, standard error {found.error:.4f}: {verdict}"
    )
    return "\n".join(said)
