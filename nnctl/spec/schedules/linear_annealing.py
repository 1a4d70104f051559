"""A straight line down."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import ScheduleModel


class LinearAnnealing(ScheduleModel):
    """rate_k = (1 - k / epochs) * learning_rate + (k / epochs) * final, k the epoch from 0.

    Epochs 0 to ``epochs`` inclusive, then held at ``final``. The notes call it simulated
    annealing; that name belongs to Kirkpatrick et al. 1983.
    """

    type: Literal["linear_annealing"]
    final: float = Field(ge=0, le=1e6, description="the learning rate that is reached and held")
    epochs: int = Field(ge=1, le=10_000_000, description="epochs from learning_rate to final")
