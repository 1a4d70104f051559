"""What all schedules have in common."""

from __future__ import annotations

from typing import Annotated

from nnctl.spec.base import SpecModel
from nnctl.spec.registry import Tagged


class ScheduleModel(SpecModel):
    """The learning rate over the training: ``[schedule]``, chosen by ``type``."""

    type: str


Schedule = Annotated[ScheduleModel, Tagged("schedules")]
