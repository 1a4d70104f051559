"""Points in the plane, in classes that no straight line separates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nnctl.spec.info import TargetInfo
from nnctl.spec.shapes import Shape

from .base import GeneratorModel, classes


class Xor(GeneratorModel):
    """The corners (0,0), (0,1), (1,0), (1,1) in turn, plus normal noise; the class is a xor b.

    The smallest problem that a single-layer perceptron cannot solve (Minsky & Papert 1969).
    """

    generate: Literal["xor"]
    noise: float = Field(0.1, ge=0, le=10, description="standard deviation of the noise")

    def shape(self) -> Shape:
        return (2,)

    def target(self) -> TargetInfo:
        return classes(["0", "1"])


class Spirals(GeneratorModel):
    """Spiral arms wound round each other, one a class (after Lang & Witbrock 1988)."""

    generate: Literal["spirals"]
    classes: int = Field(2, ge=2, le=20, description="number of arms")
    turns: float = Field(1.0, gt=0, le=10, description="how often an arm goes round")
    noise: float = Field(0.05, ge=0, le=10, description="standard deviation of the noise")

    def shape(self) -> Shape:
        return (2,)

    def target(self) -> TargetInfo:
        return classes([str(k) for k in range(self.classes)])
