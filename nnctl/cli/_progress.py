"""Training as it is watched: a live line on a terminal, else a line an epoch and second at most."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from nnctl.cli._clock import clock as written
from nnctl.cli.output import Output

if TYPE_CHECKING:
    from nnctl.train import events

BETWEEN_LINES = 1.0
BETWEEN_REFRESHES = 0.1
BAR = 12
SMOOTHING = 0.9  # of the rate shown: calls differ, and a number that jumps cannot be read


class Progress:
    """Prints the events of a training. ``clock`` is in seconds."""

    def __init__(self, out: Output, clock: Callable[[], float] = time.monotonic) -> None:
        self.out = out
        self.clock = clock
        self.line_at = self.shown_at = float("-inf")
        self.start: events.RunStarted | None = None
        self.rate = 0.0
        self.held = ""  # an epoch's line that came too soon after another

    def __call__(self, event: events.Event) -> None:
        """Show an event."""
        from nnctl.train import events

        if isinstance(event, events.RunStarted):
            self.start = event
        elif isinstance(event, events.EpochDone):
            self.epoch(event)
        elif isinstance(event, events.Progress):
            self.refresh(event)
        elif isinstance(event, events.Finished | events.Stopped | events.Diverged):
            self.close()

    def epoch(self, event: events.EpochDone) -> None:
        """Print an epoch's line, unless one was printed a moment ago."""
        line = epoch_line(event, self.start.epochs if self.start else None)
        now = self.clock()
        if now - self.line_at < BETWEEN_LINES:
            self.held = line
            return
        self.line_at, self.held = now, ""
        self.out.note(line)

    def refresh(self, event: events.Progress) -> None:
        """Renew the live line."""
        now = self.clock()
        if event.steps and event.seconds > 0:
            rate = event.steps / event.seconds
            self.rate = SMOOTHING * self.rate + (1 - SMOOTHING) * rate if self.rate else rate
        if self.start and self.out.live and now - self.shown_at >= BETWEEN_REFRESHES:
            self.shown_at = now
            self.out.status(live_line(event, self.start, self.rate))

    def close(self) -> None:
        """Print the line that was held back: the last epoch is never missing."""
        if self.held:
            self.out.note(self.held)
            self.held = ""


def epoch_line(event: events.EpochDone, epochs: int | None) -> str:
    """Return ``epoch 3/30  running loss 0.2311  test loss 0.2101 accuracy 0.9511  0.42 s``."""
    of = f"/{epochs}" if epochs else ""
    head = f"epoch {str(event.epoch).rjust(len(str(epochs or 0)))}{of}"
    parts = [head, f"running loss {event.running_loss:.4f}"]
    parts += [f"{split} {figures(values)}" for split, values in event.metrics.items()]
    if event.penalty:
        parts.append(f"penalty {event.penalty:.4f}")
    parts.append(f"{event.seconds:.2f} s")
    return "  ".join(parts) + ("  *" if event.improved else "")


def figures(values: Mapping[str, float]) -> str:
    """Return ``loss 0.2101 accuracy 0.9511``."""
    return " ".join(f"{name} {value:.4f}" for name, value in values.items())


def live_line(event: events.Progress, start: events.RunStarted, rate: float) -> str:
    """Return the bar of the epoch under way, the running loss, the speed and the time left."""
    inside = event.step - event.epoch * start.steps_per_epoch
    share = min(max(inside / start.steps_per_epoch, 0.0), 1.0)
    full = round(share * BAR)
    samples = rate * start.samples / start.steps_per_epoch
    parts = [
        f"epoch {event.epoch + 1}" + (f"/{start.epochs}" if start.epochs else ""),
        f"[{'#' * full}{'.' * (BAR - full)}]",
        f"running loss {event.running_loss:.4f}",
    ]
    if start.epochs and rate:
        left = start.epochs * start.steps_per_epoch - event.step
        parts.append(f"{written(left / rate)} left")
    # A narrow terminal cuts the end off, so what is missed least stands there.
    return "  ".join([*parts, f"{rate:,.0f} steps/s", f"{samples:,.0f} samples/s"])
