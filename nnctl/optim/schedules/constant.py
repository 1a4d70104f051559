"""The optimizer's learning rate, at every step."""

from __future__ import annotations

from typing import Any

import numpy as np


def rates(schedule: Any, base: float, steps: np.ndarray, steps_per_epoch: int) -> np.ndarray:
    return np.full(len(steps), base, dtype=np.float64)
