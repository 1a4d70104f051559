"""Pictures of simple shapes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nnctl.spec.info import TargetInfo
from nnctl.spec.shapes import Shape

from .base import GeneratorModel, classes

KINDS = ["circle", "square", "triangle", "cross", "ring", "bar"]


class Shapes(GeneratorModel):
    """Images of one shape each, of random place, size and color, on a noisy ground."""

    generate: Literal["shapes"]
    height: int = Field(16, ge=8, le=1024, description="rows of pixels")
    width: int = Field(16, ge=8, le=1024, description="pixels in a row")
    channels: int = Field(1, ge=1, le=16, description="1 for gray, 3 for color")
    classes: int = Field(4, ge=2, le=6, description="how many of " + ", ".join(KINDS))
    noise: float = Field(0.1, ge=0, le=1, description="standard deviation of the ground's noise")

    def shape(self) -> Shape:
        return (self.height, self.width, self.channels)

    def target(self) -> TargetInfo:
        return classes(KINDS[: self.classes])
