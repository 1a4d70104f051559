"""Adam."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import OptimizerModel


class Adam(OptimizerModel):
    """w <- w - rate * m^ / (sqrt(v^) + epsilon), with running means m of g and v of g^2.

    m <- beta1 * m + (1 - beta1) * g, m^ = m / (1 - beta1^t); likewise v with beta2, t from 1
    (Kingma & Ba 2015).
    """

    type: Literal["adam"]
    learning_rate: float = Field(1e-3, gt=0, le=1e6, description="rate, the length of a step")
    beta1: float = Field(0.9, ge=0, lt=1, description="share of the last mean of gradients kept")
    beta2: float = Field(0.999, ge=0, lt=1, description="share of the last mean of squares kept")
    epsilon: float = Field(1e-8, gt=0, le=1, description="keeps the division finite")

    @property
    def slots(self) -> tuple[str, ...]:
        return ("m", "v")
