"""Clouds of points in any number of dimensions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nnctl.spec.info import TargetInfo
from nnctl.spec.shapes import Shape

from .base import GeneratorModel, classes


class Blobs(GeneratorModel):
    """A round normal cloud of points for each class, around a random center."""

    generate: Literal["blobs"]
    features: int = Field(2, ge=1, le=100_000, description="numbers in a sample")
    classes: int = Field(3, ge=2, le=1000, description="number of clouds")
    spread: float = Field(
        1.0, ge=0, le=100, description="standard deviation of the centers, in each feature"
    )
    noise: float = Field(1.0, ge=0, le=100, description="standard deviation around a center")

    def shape(self) -> Shape:
        return (self.features,)

    def target(self) -> TargetInfo:
        return classes([str(k) for k in range(self.classes)])
