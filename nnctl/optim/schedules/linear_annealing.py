"""rate_k = (1 - k/tau) base + (k/tau) final, epochs k = 0 to tau, then held (notes, Def. 4.5)."""

from __future__ import annotations

from typing import Any

import numpy as np


def rates(schedule: Any, base: float, steps: np.ndarray, steps_per_epoch: int) -> np.ndarray:
    share = np.minimum(steps // steps_per_epoch, schedule.epochs) / schedule.epochs
    rate: np.ndarray = (1.0 - share) * base + share * schedule.final
    return rate
