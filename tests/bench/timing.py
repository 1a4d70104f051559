"""Two functions timed in turns, so that what slows the machine for a while slows both."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

RUN_SECONDS = 0.04  # one timed run: many steps a call, as training does
BLOCK_SECONDS = 0.25
PAUSE_SECONDS = 0.02  # lets the other side's threads stop spinning
SECONDS = 6.0

Run = Callable[[int], None]


@dataclass(frozen=True)
class Timing:
    """Medians of the milliseconds a step, and how many runs the smaller side has."""

    ours_ms: float
    peer_ms: float
    runs: int


def steps_a_run(run: Run, seconds: float = RUN_SECONDS) -> int:
    """Return how many steps take about ``seconds``; warms up on the way."""
    steps = 1
    run(1)
    while True:
        began = time.perf_counter()
        run(steps)
        took = time.perf_counter() - began
        if took >= seconds / 2:
            return max(1, round(steps * seconds / took))
        steps *= 2


def block(run: Run, steps: int, seconds: float = BLOCK_SECONDS) -> list[float]:
    """Return seconds a step of the runs of one block; the first run is dropped: caches are cold."""
    run(steps)
    found: list[float] = []
    began = time.perf_counter()
    while not found or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        run(steps)
        found.append((time.perf_counter() - start) / steps)
    return found


def interleave(ours: Run, peer: Run, seconds: float = SECONDS) -> Timing:
    """Time both in alternating blocks for about ``seconds`` in all; at least one block each."""
    found: tuple[list[float], list[float]] = ([], [])
    sides = [(run, steps_a_run(run), kept) for run, kept in ((ours, found[0]), (peer, found[1]))]
    began = time.perf_counter()
    while not found[1] or time.perf_counter() - began < seconds:
        for run, steps, kept in sides:
            kept += block(run, steps, min(BLOCK_SECONDS, seconds / 2))
            time.sleep(PAUSE_SECONDS)
    return Timing(median(found[0]) * 1e3, median(found[1]) * 1e3, min(map(len, found)))
