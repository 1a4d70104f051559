"""The gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Parameter, Shape

from .recurrent import Normed


class Gru(Normed):
    """Gated recurrent unit: a reset and an update gate (Cho et al. 2014).

    r, z = sigmoid(x w + b + h u + b_h), m = tanh(x w + b + r (h u + b_h)); h = z h + (1 - z) m.
    The reset gate acts behind the product with the state, as in other tools. Gates lie in the order
    r, z, m.

    With ``reset = "before"`` it acts before that, as it was published: m = tanh(x w + b + (r h)
    u_m). Then u is [units, 2 * units], for r and z, u_m [units, units], and there is no b_h.

    With ``layer_norm`` (Ba, Kiros & Hinton 2016) each product is normalized, over the 2 units
    numbers of r and z together and over the units numbers of m: for x w stands gain_w N(x w), for
    h u stands gain_u N(h u), N(a) = (a - mean) / sqrt(variance + 1e-5). b and b_h are the shifts.
    """

    gates: ClassVar[int] = 3
    laid_out: ClassVar[tuple[str, ...]] = (*Normed.laid_out, "reset")

    type: Literal["gru"]
    reset: Literal["after", "before"] = Field(
        "after",
        description="where the reset gate acts: behind the product with the state, or before",
    )

    @property
    def biases(self) -> tuple[str, ...]:
        return ("b", "b_h") if self.reset == "after" else ("b",)

    @property
    def kept(self) -> int:
        if self.layer_norm:
            return 11  # what w gives, what u gives, h, what r multiplies or r h, and the gates
        return 7 if self.reset == "after" else 8  # what w gives, what u gives; h; before also r h

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        found = super().parameters(inputs)
        if self.reset == "before":
            n, again = self.units, found["u"]
            found["u"] = Parameter((n, 2 * n), again.init, "weight", n, n)
            found["u_m"] = Parameter((n, n), again.init, "weight", n, n)
        return found
