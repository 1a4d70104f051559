"""No schedule."""

from __future__ import annotations

from typing import Literal

from .base import ScheduleModel


class Constant(ScheduleModel):
    """The optimizer's learning_rate, from the first step to the last."""

    type: Literal["constant"]
