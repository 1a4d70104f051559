"""Whether two sides compute the same: nothing is timed before they do.

Both train from the same parameters on the same batches, in the same number format, and give the
loss of every step. They round differently: first losses differ by 1e-7. Adam's early steps are
near rate * sign(g), so a gradient near 0 moves its parameter either way, and what is apart drifts
further apart: over ten steps of 30 random networks by 1e-7 to 4e-5 (over twenty, up to 3e-4). A
wrong activation, constant, order or update shows at 1e-3 and above.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

STEPS = 10
SYMBOLS = 20
BOUND = 2e-4
"""Largest relative difference of a loss that rounding may explain (float32)."""


class Disagreement(Exception):
    """The two sides do not compute the same; says by how much, and where first."""


class Side(Protocol):
    """What both sides can do. The last four are what is timed, by the names of the modes."""

    def losses(self, steps: int) -> np.ndarray: ...
    def evaluate(self) -> float: ...
    def train(self, steps: int) -> None: ...
    def infer(self, batches: int) -> None: ...
    def one(self, samples: int) -> None: ...
    def decode(self, symbols: int) -> object: ...


def compare(ours: np.ndarray, peer: np.ndarray, bound: float = BOUND) -> float:
    """Return the largest relative difference. Raises Disagreement above ``bound``, or if NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(ours - peer) / np.abs(peer)
    apart = np.where(ours == peer, 0.0, apart)
    worst = float(np.max(apart))
    if not worst <= bound:
        first = int(np.argmax(~(apart <= bound)))
        raise Disagreement(
            f"loss {first}: ours {ours[first]:.7g}, peer {peer[first]:.7g} "
            f"(relative difference up to {worst:.2g}, allowed {bound:g})"
        )
    return worst


def check(ours: Side, peer: Side, mode: str) -> float:
    """Return by how much the losses differ: of training steps, or of an evaluation."""
    if mode == "train":
        return compare(ours.losses(STEPS), peer.losses(STEPS))
    if mode == "decode" and not np.array_equal(*(side.decode(SYMBOLS) for side in (ours, peer))):
        raise Disagreement(f"the first {SYMBOLS} symbols that both say differ")
    return compare(np.array([ours.evaluate()]), np.array([peer.evaluate()]))
