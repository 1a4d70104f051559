"""Where the windows of one long sequence lie, so that none crosses from one part to another.

n steps in order of time; the last round(test * n) of them are the test part, the last
round(validation * rest) of those before are validation, the first are to train on; ``gap`` steps
before each cut are left out. A window is ``window`` steps and the ``horizon`` steps up to what it
predicts; all of them lie in one part. Within it a window starts every ``stride`` steps.
Stdlib only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnctl.data.problems import Locate, counted
from nnctl.data.shares import share
from nnctl.errors import DataError, Problem

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec

TEXT_WINDOW = 64


@dataclass(frozen=True)
class Frame:
    """A window: its steps, how far ahead it predicts, and whether from ``every`` step."""

    window: int
    horizon: int
    stride: int
    every: bool

    @property
    def span(self) -> int:
        """Steps that a window and what it predicts take up."""
        return self.window + self.horizon

    def starts(self, block: range) -> range:
        """Return where the windows of a block start."""
        return range(block.start, max(block.start, block.stop - self.span + 1), self.stride)

    def starts_to_the_end(self, count: int) -> range:
        """Return where windows start of which the last ends with the sequence, in ``stride``s."""
        last = count - self.window
        return range(last % self.stride, last + 1, self.stride) if last >= 0 else range(0)


def of_series(data: DataSpec) -> Frame:
    """Return the windows of a series of rows."""
    horizon = 1 if data.horizon is None else data.horizon
    return Frame(data.window or 1, horizon, data.stride or 1, data.steps == "all")


def of_text(data: DataSpec) -> Frame:
    """Return the windows of a text: side by side, and what follows each token."""
    window = data.window or TEXT_WINDOW
    horizon = 1 if data.horizon is None else data.horizon
    return Frame(window, horizon, data.stride or window, data.steps != "last")


def blocks(
    count: int, frame: Frame, data: DataSpec, others: Collection[str], noun: str, locate: Locate
) -> dict[str, range]:
    """Return the blocks train, validation and test of a sequence of ``count`` steps.

    ``others`` names the parts that have a file of their own. Raises DataError where a block holds
    no window.
    """
    found, stop = {}, count
    for part in ("test", "validation"):
        fraction = getattr(data.split, part)
        if part in others or not fraction:
            continue
        start = stop - share(stop, fraction)
        found[part] = range(start, stop)
        stop = max(0, start - data.split.gap)
    found["train"] = range(stop)
    for part, block in found.items():
        if not frame.starts(block):
            raise DataError(_short(part, block, count, frame, noun, locate))
    return found


def needs(frame: Frame, noun: str) -> str:
    """Say what a window takes up: ``a window of 20 and a horizon of 1 take 21 rows``."""
    taken = f"take {counted(frame.span, noun)}"
    return f"a window of {frame.window} and a horizon of {frame.horizon} {taken}"


def _short(part: str, block: range, count: int, frame: Frame, noun: str, locate: Locate) -> Problem:
    given = f"the {part} part has {len(block)} of {counted(count, noun)}"
    hint = "give more data or another fraction, or reduce window, horizon or gap"
    path = ("data", "window") if part == "train" else ("data", "split", part)
    return locate(path, f"{given}, and {needs(frame, noun)}", hint)
