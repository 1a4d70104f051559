"""All that resume needs, typed and whole, and its form as tensors and meta of a checkpoint.

Order, dropout and augmentation are functions of (seed, epoch, index), so the network's tensors, a
few counters, the sums of the epoch under way and the best state so far are everything there is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from nnctl.errors import CheckpointError

Array = np.ndarray[Any, Any]
Tensors = dict[str, Array]
Memory = dict[str, dict[str, float | int]]

BEST = "best/"
TRAINED = "trained/"
LARGEST = sys.float_info.max  # in place of a sum that overflowed


@dataclass
class Counters:
    """Where training is, and the sums of the epoch under way.

    ``row`` counts the samples of this epoch's order that are used up. ``memory`` holds what
    stopping rules and monitors remember, each under its own name, as finite numbers.
    """

    epoch: int = 0
    step: int = 0
    row: int = 0
    loss_sum: float = 0.0  # of the samples of this epoch
    gradient_norm: float = 0.0  # the largest of this epoch
    memory: Memory = field(default_factory=dict)

    @property
    def running_loss(self) -> float:
        """The mean loss of this epoch's samples so far, taken while the parameters moved."""
        return self.loss_sum / self.row if self.row else float("nan")

    def advance(self, losses: Array, norms: Array, batch: int, samples: int) -> Array:
        """Count the steps of one call; returns the running loss after each of them (float64).

        Sums go strictly from left to right, so that no grouping of steps in calls changes a bit.
        """
        count = len(losses)
        if not count:
            return np.zeros(0)
        rows = np.minimum(self.row + batch * np.arange(count + 1, dtype=np.int64), samples)
        # Of finite losses and gradients sums may be Inf, which no file can hold: see LARGEST.
        with np.errstate(over="ignore"):
            sums = np.add.accumulate(np.concatenate(([self.loss_sum], losses * np.diff(rows))))
        self.loss_sum = float(min(sums[-1], LARGEST))
        self.gradient_norm = float(min(np.maximum(self.gradient_norm, np.max(norms)), LARGEST))
        self.row = int(rows[-1])
        self.step += count
        return np.asarray(sums[1:] / rows[1:])

    def next_epoch(self) -> None:
        """Turn the page: an epoch is done, its sums start again."""
        self.epoch += 1
        self.row = 0
        self.loss_sum = 0.0
        self.gradient_norm = 0.0

    def copy(self) -> Counters:
        """Return an independent copy."""
        return Counters.from_meta(self.to_meta())

    def to_meta(self) -> dict[str, Any]:
        """Return the counters as JSON-able data; Python's floats survive JSON bit for bit."""
        return asdict(self)

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Counters:
        """Return the inverse of ``to_meta``. Raises CheckpointError if a field is missing."""
        try:
            values = {f.name: meta[f.name] for f in fields(cls)}
            values["memory"] = {name: dict(slots) for name, slots in values["memory"].items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise CheckpointError(f"checkpoint unusable: no training state ({error})") from error
        return cls(**values)


@dataclass
class Best:
    """The state with the best monitored value so far; the earliest one on a tie."""

    monitor: str
    value: float
    counters: Counters
    tensors: Tensors
    metrics: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass
class TrainState:
    """Counters, the network's tensors when they were last captured, and the best state.

    ``restored`` says that the final network is the best one: it is then what a reader of the
    checkpoint finds under ``param/``, and what training would go on with lies under ``trained/``.
    """

    counters: Counters = field(default_factory=Counters)
    tensors: Tensors = field(default_factory=dict)
    best: Best | None = None
    restored: bool = False

    def to_tensors(self) -> tuple[Tensors, dict[str, Any]]:
        """Return the state as checkpoint tensors and meta: the network, and a second one if the
        best differs from it. Everything in it is the same for equal runs."""
        meta: dict[str, Any] = {"state": self.counters.to_meta(), "best": None}
        best = self.best
        if best is None:
            return dict(self.tensors), meta
        meta["best"] = {"monitor": best.monitor, "value": best.value, "metrics": best.metrics}
        if best.counters.step == self.counters.step:
            return dict(self.tensors), meta
        meta["best"]["state"] = best.counters.to_meta()
        meta["restored"] = self.restored
        first, second = self.tensors, best.tensors
        prefix = BEST
        if self.restored:
            first, second, prefix = second, first, TRAINED
        return {**first, **{prefix + name: value for name, value in second.items()}}, meta

    def best_tensors(self) -> tuple[Tensors, dict[str, Any]]:
        """Return the best state as the checkpoint that was or would have been written there."""
        if self.best is None:
            raise ValueError("there is no best state")
        best = self.best
        return TrainState(best.counters, best.tensors, best).to_tensors()

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array], meta: Mapping[str, Any]) -> TrainState:
        """Return the inverse of ``to_tensors``. Raises CheckpointError."""
        counters = Counters.from_meta(meta.get("state") or {})
        main: Tensors = {}
        other: Tensors = {}
        for name, value in tensors.items():
            prefix = next((p for p in (BEST, TRAINED) if name.startswith(p)), "")
            (other if prefix else main)[name.removeprefix(prefix)] = value
        restored = bool(meta.get("restored", False))
        if restored:
            main, other = other, main
        state = cls(counters, main, None)
        about = meta.get("best")
        if about is not None:
            where = Counters.from_meta(about["state"]) if "state" in about else counters.copy()
            found = other if "state" in about else main
            metrics = {split: dict(values) for split, values in about["metrics"].items()}
            state.best = Best(about["monitor"], about["value"], where, found, metrics)
        return state
