"""The learning rate of every step: a pure function of the step, one file per schedule.

A schedule's file is named by its type and holds ``rates(schedule, base, steps, steps_per_epoch)``.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np


def rates(
    schedule: Any, optimizer: Any, first_step: int, count: int, steps_per_epoch: int
) -> np.ndarray:
    """Return the learning rates of ``count`` steps from ``first_step`` (from 0), as float64.

    ``schedule`` and ``optimizer`` are spec models; a step belongs to epoch step // steps_per_epoch.
    """
    module = importlib.import_module(f"{__name__}.{schedule.type}")
    steps = np.arange(first_step, first_step + count)
    found: np.ndarray = module.rates(schedule, optimizer.learning_rate, steps, steps_per_epoch)
    return found
