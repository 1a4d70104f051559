"""Starts that do not look at the layer's size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Finding

from .base import InitializerModel


class Zeros(InitializerModel):
    """All 0: right for biases; a hidden layer's weights would all learn the same."""

    constant: ClassVar[bool] = True

    type: Literal["zeros"]


class Constant(InitializerModel):
    """All the same number."""

    constant: ClassVar[bool] = True

    type: Literal["constant"]
    value: float = Field(ge=-1e6, le=1e6, description="the number")


class Uniform(InitializerModel):
    """Evenly distributed between ``low`` and ``high``."""

    type: Literal["uniform"]
    low: float = Field(-0.05, ge=-1e6, le=1e6, description="lower end")
    high: float = Field(0.05, ge=-1e6, le=1e6, description="upper end")

    def conflicts(self) -> Iterable[Finding]:
        if self.low >= self.high:
            yield Finding(("low",), f"expected less than high = {self.high}, given {self.low}")


class Normal(InitializerModel):
    """Normally distributed around ``mean``."""

    type: Literal["normal"]
    mean: float = Field(0.0, ge=-1e6, le=1e6, description="mean")
    std: float = Field(0.05, gt=0, le=1e6, description="standard deviation")
