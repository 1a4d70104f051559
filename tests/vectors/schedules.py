"""Schedules against their formulas, written out epoch by epoch."""

from __future__ import annotations

BASE = 0.1


def _constant(epoch: int) -> float:
    return BASE


def _annealing(final: float, tau: int):
    def rate(epoch: int) -> float:
        if epoch >= tau:
            return final
        return (1 - epoch / tau) * BASE + epoch / tau * final

    return rate


# type, fields, rate of an epoch (from 0)
SCHEDULES = [
    ("constant", {}, _constant),
    ("linear_annealing", {"final": 0.001, "epochs": 4}, _annealing(0.001, 4)),
    ("linear_annealing", {"final": 0.0, "epochs": 1}, _annealing(0.0, 1)),
    ("linear_annealing", {"final": 0.5, "epochs": 7}, _annealing(0.5, 7)),
]
