"""How many steps one native call does: long enough to be cheap, short enough to be interrupted."""

from __future__ import annotations

from dataclasses import dataclass

CALL_SECONDS = 0.1
# A first call may be slow for reasons of its own (cold caches); speed is learned in few calls.
GROWTH = 8


@dataclass
class Pace:
    """Steps per call, from the speed measured; never changes what is computed."""

    steps: int = 1

    def update(self, done: int, seconds: float) -> None:
        """Learn from a call that did ``done`` steps in ``seconds``."""
        if done:
            wanted = int(done * CALL_SECONDS / max(seconds, 1e-9))
            self.steps = max(1, min(wanted, self.steps * GROWTH))
