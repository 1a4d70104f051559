"""What is watched while training: the best value so far, and when a checkpoint is due."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nnctl.train.state import Best, Counters, TrainState
from nnctl.train.stopping import Flat

# A kill costs at most so much work, whatever the spec says about checkpoints.
SECONDS_BETWEEN_CHECKPOINTS = 30.0


@dataclass
class BestMonitor:
    """Finds the evaluation with the best ``metric``; the earliest one on a tie, never a NaN."""

    metric: str
    higher_is_better: bool

    def improves(self, state: TrainState, metrics: Flat) -> bool:
        """Return whether this evaluation is the best so far."""
        value = metrics.get(self.metric, math.nan)
        if not math.isfinite(value):
            return False
        best = state.best
        if best is None or best.monitor != self.metric:
            return True
        return value > best.value if self.higher_is_better else value < best.value

    def keep(self, state: TrainState, value: float, metrics: dict[str, dict[str, float]]) -> None:
        """Take the state, just captured, as the best."""
        counters = state.counters.copy()
        state.best = Best(self.metric, value, counters, state.tensors, metrics)


@dataclass
class Cadence:
    """Says when a checkpoint is due; how often changes no number of the training."""

    every_epochs: int | None = None
    every_steps: int | None = None
    every_seconds: float = SECONDS_BETWEEN_CHECKPOINTS
    written_at: float = 0.0
    written_step: int = -1

    def due(self, counters: Counters, now: float, *, epoch_ended: bool) -> str:
        """Return the reason why one is due at this step boundary, or ""."""
        new = counters.step != self.written_step
        if self.every_steps and new and counters.step % self.every_steps == 0:
            return "steps"
        if epoch_ended and self.every_epochs and counters.epoch % self.every_epochs == 0:
            return "epochs"
        return "time" if now - self.written_at >= self.every_seconds else ""

    def written(self, counters: Counters, now: float) -> None:
        """Note that one has been written."""
        self.written_at = now
        self.written_step = counters.step

    def steps_left(self, counters: Counters) -> int | None:
        """Return how many steps there are to the next step that wants a checkpoint."""
        if not self.every_steps:
            return None
        return self.every_steps - counters.step % self.every_steps
