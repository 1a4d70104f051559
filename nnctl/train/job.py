"""What the loop is given: a network that can be trained, its data, its rules. None of it changes.

The loop sees the engine's plan through ``Trainable`` alone, so that anything with these few
methods can be trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from nnctl.train.monitors import BestMonitor, Cadence
from nnctl.train.stopping import Rule

Array = np.ndarray[Any, Any]


class StepLog(Protocol):
    """What a native call reports: float64 ``losses`` and ``gradient_norms`` of its ``done`` steps.

    ``nonfinite``: the step after those gave NaN or Inf, and the plan is as it was before it."""

    @property
    def done(self) -> int: ...
    @property
    def losses(self) -> Array: ...
    @property
    def gradient_norms(self) -> Array: ...
    @property
    def nonfinite(self) -> bool: ...


class Evaluation(Protocol):
    """Outputs (n, width) by name, and the mean loss, of some rows of a split.

    ``terms`` are (weight, mean, count) of each loss: what the loss of more rows is made of.
    """

    @property
    def outputs(self) -> Mapping[str, Array]: ...
    @property
    def loss(self) -> float: ...
    @property
    def terms(self) -> Sequence[tuple[float, float, float]]: ...


class Trainable(Protocol):
    """The part of a plan that training needs."""

    def train(self, order: Array, start: int, first_step: int, rates: Array) -> StepLog: ...
    def locate_nonfinite(self, order: Array, start: int, first_step: int, rate: float) -> str: ...
    def evaluate(self, split: str, rows: Array | None) -> Evaluation: ...
    def penalty(self) -> float: ...
    def tensors(self) -> dict[str, Array]: ...
    def restore(self, tensors: Mapping[str, Array]) -> None: ...


# (split, outputs of all its rows) -> {"accuracy": ...}; the loss is the plan's own.
Measure = Callable[[str, Mapping[str, Array]], dict[str, float]]


@dataclass(frozen=True)
class Job:
    """One training: what to do, on what, and when it is over.

    ``splits`` gives the samples of each split; ``order(epoch)`` is the permutation of the training
    rows; ``rates(first_step, count)`` the learning rates. ``rules`` end the training for good,
    ``interruptions`` for now. ``evaluated`` names the splits that are measured every
    ``evaluate_every`` epochs (0: only at the end).
    """

    plan: Trainable
    splits: Mapping[str, int]
    batch_size: int
    order: Callable[[int], Array]
    rates: Callable[[int, int], Array]
    measure: Measure
    rules: Sequence[Rule]
    interruptions: Sequence[Rule] = ()
    evaluated: Sequence[str] = ("train", "validation", "test")
    evaluate_every: int = 1
    monitor: BestMonitor | None = None
    restore_best: bool = False
    cadence: Cadence = field(default_factory=Cadence)
    gradient_norms: bool = True  # whether the plan measures them
    epochs: int | None = None
    log_every: int = 0

    @property
    def samples(self) -> int:
        """Samples of the training split."""
        return self.splits["train"]

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch; the last one may have a smaller batch."""
        return -(-self.samples // self.batch_size)
