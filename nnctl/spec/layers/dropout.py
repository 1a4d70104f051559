"""Dropout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import LayerModel, Shape
from nnctl.spec.shapes import Reach


class Dropout(LayerModel):
    """Zero each number with probability ``rate`` in training, and scale the rest by 1 / (1 - rate).

    Nothing happens in evaluation (inverted dropout; Srivastava et al. 2014). Which numbers are
    zeroed depends on seed, step and sample alone.
    """

    linear: ClassVar[bool] = True  # for the mask that is drawn

    type: Literal["dropout"]
    rate: float = Field(0.5, ge=0, lt=1, description="probability that a number is zeroed")

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return ()
