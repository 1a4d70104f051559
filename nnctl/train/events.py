"""What happens while a network trains, as data: the loop yields these, others print and write.

``epoch`` counts finished epochs and ``step`` finished optimizer updates, so both start at 0.
``metrics`` maps a split to its figures in evaluation mode: ``{"test": {"loss": 0.1, ...}, ...}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Metrics = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Event:
    """Something that happened when ``epoch`` epochs and ``step`` steps were done."""

    epoch: int
    step: int


@dataclass(frozen=True)
class RunStarted(Event):
    """Training begins, or goes on if ``step`` is not 0. None: no bound on epochs or steps."""

    epochs: int | None
    steps_per_epoch: int
    samples: int


@dataclass(frozen=True)
class Progress(Event):
    """A native call came back: for the live display. ``running_loss`` is of this epoch's steps."""

    running_loss: float
    learning_rate: float
    steps: int
    seconds: float


@dataclass(frozen=True)
class StepDone(Event):
    """One step, every ``log_every``: ``loss`` is of its own batch, in training mode.
    ``gradient_norm`` is None where it is not measured."""

    loss: float
    running_loss: float
    gradient_norm: float | None
    learning_rate: float


@dataclass(frozen=True)
class EpochDone(Event):
    """An epoch ended. ``running_loss`` was taken while the parameters moved (dropout and all),
    ``gradient_norm`` is the largest of its steps, None where it is not measured;
    ``metrics`` are of evaluation mode at its end, and empty if this epoch is not evaluated."""

    running_loss: float
    gradient_norm: float | None
    learning_rate: float
    seconds: float
    metrics: Metrics = field(default_factory=dict)
    penalty: float | None = None
    improved: bool = False


@dataclass(frozen=True)
class CheckpointDue(Event):
    """The state holds everything now: whoever keeps files writes it before asking for more."""

    reason: str
    metrics: Metrics = field(default_factory=dict)


@dataclass(frozen=True)
class Diverged(Event):
    """The step after ``step`` gave NaN or Inf, first in ``tensor``; the state is of before it.

    Or training came to its end with a loss that is neither finite nor of any use: then ``split``
    names the part that it was taken on, and the state and ``metrics`` are of that network.
    """

    tensor: str
    split: str = ""
    metrics: Metrics = field(default_factory=dict)


@dataclass(frozen=True)
class Stopped(Event):
    """Training was interrupted and can go on: ``reason`` is ``max_time`` or a signal's name."""

    reason: str


@dataclass(frozen=True)
class Finished(Event):
    """Training came to its end: ``reason`` names the rule; ``metrics`` are of the final network."""

    reason: str
    metrics: Metrics = field(default_factory=dict)
    restored: bool = False
