"""Losses for numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nnctl.spec.base import Shape

from .base import LossModel, need_outputs, need_size

if TYPE_CHECKING:
    from nnctl.spec.info import TargetInfo


class _OfNumbers(LossModel):
    def check(self, output: Shape, target: TargetInfo) -> None:
        if target.kind == "class":  # compared with one-hot rows, or with 0 and 1
            if output != (1,) or target.width != 2:
                need_outputs(output, target.width, f"one for each of {target.width} classes")
        else:
            need_size(output, target.width, f"the target has {target.width}")


class Mse(_OfNumbers):
    """Mean of (y - t)^2 over outputs and batch, without a half."""

    type: Literal["mse"]


class Mae(_OfNumbers):
    """Mean of |y - t| over outputs and batch; the gradient at 0 is 0."""

    type: Literal["mae"]


class Huber(_OfNumbers):
    """e^2 / 2 where e = |y - t| <= delta, else delta * (e - delta / 2); the mean (Huber 1964)."""

    type: Literal["huber"]
    delta: float = Field(1.0, gt=0, le=1e6, description="where the square turns into a line")
