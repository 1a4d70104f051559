"""The ReLU family."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from .base import ActivationModel


class _Rectified(ActivationModel):
    relu_family: ClassVar[bool] = True


class Relu(_Rectified):
    """max(0, x) (Nair & Hinton 2010). The derivative at 0 is taken as 0."""

    keeps_largest: ClassVar[bool] = True

    type: Literal["relu"]


class LeakyRelu(_Rectified):
    """x where x > 0, else slope * x (Maas et al. 2013). The derivative at 0 is slope."""

    type: Literal["leaky_relu"]
    slope: float = Field(0.01, ge=0, lt=1, description="slope of the negative side")


class Elu(_Rectified):
    """x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016)."""

    type: Literal["elu"]
    alpha: float = Field(1.0, gt=0, le=100, description="the limit of the negative side is -alpha")
