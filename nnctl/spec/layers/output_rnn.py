"""A recurrent layer whose output is fed back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import PREVIOUS, Finding, Parameter, Part, Shape, ShapeError
from nnctl.spec.shapes import Steps, format_shape

from .recurrent import Recurrent


class OutputRnn(Recurrent):
    """h_t = g(x_t w + o_t-1 u + b), o_t = f(h_t v + c): from step to step goes the output, after
    its activation f, and not the hidden state (Jordan 1986).

    In training each step is fed the right output of the step before (teacher forcing; Williams &
    Zipser 1989), so the layer must be an output with a target at every step; in evaluation and
    prediction it is fed its own. Steps without a target, which do not count, feed the mean target,
    or the first class. With ``teacher_forcing = false`` it is always fed its own outputs, and
    gradients go back through them.

    w is [C, units], u [outputs, units], b [units], v [units, outputs], c [outputs]; a trained start
    is h0 [outputs].
    """

    own_lengths: ClassVar[bool] = True
    closes_loop: ClassVar[bool] = True
    without: ClassVar[tuple[str, ...]] = ("stateful", "gradient_checkpointing")
    laid_out: ClassVar[tuple[str, ...]] = ("units", "outputs", "initial_state")

    type: Literal["output_rnn"]
    outputs: int = Field(ge=1, le=1_000_000, description="numbers of an output, which are fed back")
    nonlinearity: Literal["tanh", "relu", "sigmoid", "linear"] = Field("tanh", description="g")
    output_activation: Literal["linear", "tanh", "relu", "sigmoid", "softmax"] = Field(
        "linear", description="f"
    )
    signals: bool = Field(
        False,
        description="give h v + c, as losses of classes take it; what is fed back is f of it",
    )
    teacher_forcing: bool = Field(
        True, description="in training feed back the right outputs, not its own"
    )

    @property
    def width(self) -> int:
        return self.outputs

    @property
    def shows(self) -> str:
        return "" if self.signals or self.output_activation == "linear" else self.output_activation

    def members(self) -> tuple[Part, ...]:
        return (Part("", self, ("@0", PREVIOUS)),) if self.teacher_forcing else ()

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        if not self.teacher_forcing:
            return super().output_shape(inputs)
        shape, given = super().output_shape(inputs[:1]), inputs[1]
        steps, numbers = inputs[0][0], given[1:] or (self.outputs,)
        if (given[0], *numbers) != (steps, self.outputs):
            wanted = format_shape((steps, self.outputs))
            message = f"{self.type} is fed its target, {wanted}, and that is {format_shape(given)}"
            raise ShapeError(message, "set outputs and steps to those of the target")
        return shape

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        channels, start = inputs[0][-1], self.init or self.weights_start
        hidden, outputs = self.units, self.outputs
        again = self.recurrent_init or self.weights_start
        found = {
            "w": Parameter((channels, hidden), start, "weight", channels, hidden),
            "u": Parameter((outputs, hidden), again, "weight", outputs, hidden),
            "v": Parameter((hidden, outputs), "glorot_uniform", "weight", hidden, outputs),
        }
        for name, count in (("b", hidden), ("c", outputs)) if self.bias else ():
            found[name] = Parameter((count,), self.bias_start(name), "bias", channels, count)
        return found | self._learned_start()

    @property
    def weights_start(self) -> str:
        return "he_normal" if self.nonlinearity == "relu" else "glorot_uniform"

    def bias_start(self, name: str) -> Any:
        return (name == "b" and self.bias_init) or "zeros"

    def flops(self, inputs: Sequence[Shape]) -> int:
        (steps, channels), (hidden, outputs) = inputs[0], (self.units, self.outputs)
        return steps * (hidden * (2 * (channels + outputs) + 4) + outputs * (2 * hidden + 4))

    def steps(self, inputs: Sequence[Shape]) -> Steps:
        every, numbers = self.returns == "sequence", 2 * (self.units + self.outputs)
        learned, starts = tuple(self._learned_start()), not self.teacher_forcing
        return Steps(inputs[0][0], numbers, ("o",), self.backward, every, learned, starts)

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        if self.teacher_forcing and self.returns == "last":
            message = "teacher forcing needs an output, and a target, at every step"
            yield Finding(("returns",), message, "set teacher_forcing = false")
        if self.teacher_forcing and self.backward:
            message = "goes from the last step to the first, and what is taught is the step before"
            yield Finding(("backward",), message, "remove it, or set teacher_forcing = false")
        if self.teacher_forcing and self.recurrent_dropout:
            message = "what is fed back is right, none of it is hidden"
            hint = "remove it, or set teacher_forcing = false"
            yield Finding(("recurrent_dropout",), message, hint)
        for key in self.without:
            if getattr(self, key):
                yield Finding((key,), f"{self.type} has no such form", "remove it")
        if self.signals and self.output_activation == "linear":
            message = "has no effect with a linear output"
            yield Finding(("signals",), message, "remove it, or set output_activation")
