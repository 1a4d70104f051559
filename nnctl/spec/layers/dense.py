"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Finding, LayerModel, Parameter, Shape
from nnctl.spec.initializers.base import Initializer
from nnctl.spec.shapes import require_rank, size

from .activations.base import Activation
from .sharing import of_the_owner


class Dense(LayerModel):
    """y = g(x W + b): every output reads every input, W is (inputs, units).

    On a sequence (steps, features) it works on every step alike, with the same W and b.

    With ``share = "encoder"`` it uses that layer's W, and with ``transposed = true`` that layer's W
    turned round, as a tied decoder does (Hinton & Salakhutdinov 2006); its bias stays its own when
    transposed, since the sizes differ.
    """

    linear: ClassVar[bool] = True
    epilogue: ClassVar[bool] = True

    type: Literal["dense"]
    units: int = Field(ge=1, le=1_000_000, description="number of outputs")
    bias: bool = Field(True, description="add a trained number to each output")
    activation: Activation | None = Field(None, description="g; default none, which is linear")
    transposed: bool = Field(False, description="use the shared layer's weights turned round")
    init: Initializer | None = Field(
        None,
        description="start of W; default he_normal before relu and its kin, else glorot_uniform",
    )
    bias_init: Initializer | None = Field(None, description="start of b; default zeros")
    l1: float | None = Field(
        None, ge=0, le=1e6, description="L1 penalty of W; default that of [regularization]"
    )
    l2: float | None = Field(
        None, ge=0, le=1e6, description="L2 penalty of W; default that of [regularization]"
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        require_rank(inputs, (1, 2), "dense", 'put a layer of type = "flatten" before it')
        return (*inputs[0][:-1], self.units)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        fan = inputs[0][-1], self.units
        arrays = {"w": Parameter(fan, self.init, "weight", *fan)}
        if self.bias:
            bias = self.bias_init or "zeros"
            arrays["b"] = Parameter((self.units,), bias, "bias", *fan)
        return arrays

    def flops(self, inputs: Sequence[Shape]) -> int:
        steps = size(inputs[0][:-1])
        return steps * self.units * (2 * inputs[0][-1] + self.bias)

    def conflicts(self) -> Iterable[Finding]:
        if self.bias_init is not None and not self.bias:
            yield Finding(("bias_init",), "has no effect with bias = false", "remove one of them")
        if self.share is None and self.transposed:
            hint = 'name the layer whose weights to turn round: share = "NAME"'
            yield Finding(("transposed",), "has no effect without share", hint)
        own_bias = self.transposed  # its size differs from the owner's
        yield from of_the_owner(self, *(() if own_bias else ("bias_init",)), "init", "l1", "l2")
