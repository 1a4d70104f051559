"""Sign and step: thresholds, which have no gradient."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from .base import ActivationModel


class _Threshold(ActivationModel):
    differentiable: ClassVar[bool] = False

    straight_through: bool = Field(
        False,
        description="pass the gradient as if it were the identity where |x| <= 1, else 0",
    )


class Sign(_Threshold):
    """+1 where x >= 0, else -1.

    It has no gradient, so a hidden layer needs ``straight_through`` (Bengio et al. 2013), which
    takes dy/dx = 1 for |x| <= 1, else 0.
    """

    type: Literal["sign"]


class Step(_Threshold):
    """1 where x >= 0, else 0 (McCulloch & Pitts 1943).

    It has no gradient, so a hidden layer needs ``straight_through`` (Bengio et al. 2013), which
    takes dy/dx = 1 for |x| <= 1, else 0.
    """

    type: Literal["step"]
