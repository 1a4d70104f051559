"""Gradient descent, with momentum and Nesterov's look-ahead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from nnctl.spec.base import Finding

from .base import OptimizerModel


class Sgd(OptimizerModel):
    """Gradient descent: w <- w - rate * g; with momentum v <- momentum * v - rate * g, w <- w + v.

    Online with batch_size = 1, deterministic with "full", stochastic between (Robbins & Monro
    1951; momentum: Polyak 1964). ``nesterov`` takes the gradient at w + momentum * v, where the
    momentum leads (Nesterov 1983; Sutskever et al. 2013). ``form = "torch"`` keeps the rate out of
    the velocity (v <- momentum * v + g, w <- w - rate * v): the same at a constant rate only.
    """

    type: Literal["sgd"]
    learning_rate: float = Field(0.01, gt=0, le=1e6, description="rate, the length of a step")
    momentum: float = Field(0.0, ge=0, lt=1, description="share of the last velocity kept")
    nesterov: bool = Field(False, description="take the gradient where the momentum leads")
    form: Literal["notes", "torch"] = Field(
        "notes", description="where the rate enters: in the velocity, or behind it (torch)"
    )

    @property
    def slots(self) -> tuple[str, ...]:
        return ("v",) if self.momentum else ()

    def conflicts(self) -> Iterable[Finding]:
        if self.momentum == 0:
            hint = "set momentum, 0.9 for example"
            if self.nesterov:
                yield Finding(("nesterov",), "has no effect without momentum", hint)
            if self.form == "torch":
                yield Finding(("form",), "has no effect without momentum", hint)
