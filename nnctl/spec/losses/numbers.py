"""Losses for numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import LossModel


class Mse(LossModel):
    """Mean of (y - t)^2 over outputs and batch, without a half."""

    type: Literal["mse"]


class Mae(LossModel):
    """Mean of |y - t| over outputs and batch; the gradient at 0 is 0."""

    type: Literal["mae"]


class Huber(LossModel):
    """(y - t)^2 / 2 where |y - t| <= delta, else delta * (|y - t| - delta / 2); mean (Huber 1964)."""

    type: Literal["huber"]
    delta: float = Field(1.0, gt=0, le=1e6, description="where the square turns into a line")
