"""When training ends: one small class per reason, beside the loop, which knows none by name.

A verdict is a function of the state (and, for interruptions, of the clock or a signal), never of
how training got there: a resumed run comes to the same end at the same step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from nnctl.train.state import Counters

Flat = Mapping[str, float]


class Rule(Protocol):
    """Decides whether training is over. What it must remember it keeps in ``counters.memory``."""

    @property
    def reason(self) -> str:
        """Its name, for people and scripts."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Metrics that must be measured for it, such as ``train.loss``."""

    def observe(self, counters: Counters, metrics: Flat) -> None:
        """Take note of an epoch's end; ``metrics`` is empty if the epoch is not evaluated."""

    def met(self, counters: Counters) -> bool:
        """Return whether training is over in this state."""

    def steps_left(self, counters: Counters) -> int | None:
        """Return how many steps may be done before asking again; None for any number."""


class Quiet:
    """The answers of a rule that remembers nothing, needs nothing and bounds nothing."""

    reason: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()

    def observe(self, counters: Counters, metrics: Flat) -> None:
        """Nothing to note."""

    def met(self, counters: Counters) -> bool:
        """Never."""
        return False

    def steps_left(self, counters: Counters) -> int | None:
        """No bound."""
        return None


@dataclass
class Epochs(Quiet):
    """Ends when ``epochs`` epochs are done."""

    epochs: int
    reason = "epochs"

    def met(self, counters: Counters) -> bool:
        return counters.epoch >= self.epochs


@dataclass
class MaxSteps(Quiet):
    """Ends when ``steps`` optimizer updates are done, in the middle of an epoch if need be."""

    steps: int
    reason = "max_steps"

    def met(self, counters: Counters) -> bool:
        return counters.step >= self.steps

    def steps_left(self, counters: Counters) -> int | None:
        return self.steps - counters.step


@dataclass
class LossBelow(Quiet):
    """Ends when the training loss, in evaluation mode at the end of an epoch, is below a bound."""

    bound: float
    reason = "loss_below"
    needs = ("train.loss",)

    def observe(self, counters: Counters, metrics: Flat) -> None:
        value = metrics.get("train.loss", math.nan)
        if math.isfinite(value):
            counters.memory[self.reason] = {"value": value}

    def met(self, counters: Counters) -> bool:
        return _last(counters, self.reason) < self.bound


@dataclass
class GradientNormBelow(Quiet):
    """Ends when no step of an epoch had a gradient norm of ``bound`` or more."""

    bound: float
    reason = "gradient_norm_below"

    def observe(self, counters: Counters, metrics: Flat) -> None:
        if math.isfinite(counters.gradient_norm):
            counters.memory[self.reason] = {"value": counters.gradient_norm}

    def met(self, counters: Counters) -> bool:
        return _last(counters, self.reason) < self.bound


@dataclass
class EarlyStopping(Quiet):
    """Ends when ``monitor`` has not improved by over ``min_delta`` in ``patience`` evaluations.

    A value that is NaN is no improvement (Prechelt 1998 for the idea).
    """

    monitor: str
    higher_is_better: bool
    patience: int
    min_delta: float = 0.0
    reason = "early_stopping"

    @property
    def needs(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.monitor,)

    def observe(self, counters: Counters, metrics: Flat) -> None:
        if self.monitor not in metrics:
            return
        memory = counters.memory.setdefault(self.reason, {"waited": 0})
        sign = -1.0 if self.higher_is_better else 1.0
        value = metrics[self.monitor]
        best = memory.get("value")
        if math.isfinite(value) and (best is None or sign * (best - value) > self.min_delta):
            memory["value"] = value
            memory["waited"] = 0
        else:
            memory["waited"] += 1

    def met(self, counters: Counters) -> bool:
        return counters.memory.get(self.reason, {}).get("waited", 0) >= self.patience


@dataclass
class TimeBudget(Quiet):
    """Interrupts when ``elapsed()`` has reached ``seconds``, after at least one step from
    ``first_step``: however small the budget, a loop of resumes comes to an end."""

    seconds: float
    elapsed: Callable[[], float]
    first_step: int
    reason = "max_time"

    def met(self, counters: Counters) -> bool:
        return counters.step > self.first_step and self.elapsed() >= self.seconds

    def steps_left(self, counters: Counters) -> int | None:
        # Even a budget that is spent buys one step, and no more than that.
        return 1 if counters.step == self.first_step else None


@dataclass
class Requested(Quiet):
    """Interrupts when somebody asks for it, such as a signal: ``request()`` names who, or "" ."""

    request: Callable[[], str]

    @property
    def reason(self) -> str:  # type: ignore[override]
        return self.request()

    def met(self, counters: Counters) -> bool:
        return bool(self.request())


def _last(counters: Counters, name: str) -> float:
    """Return what a rule has noted last, or NaN, which is below nothing."""
    return float(counters.memory.get(name, {}).get("value", math.nan))
