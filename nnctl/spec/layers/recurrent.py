"""Recurrent layers: the same weights at every step of a sequence, and a state that is handed on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Finding, LayerModel, Parameter, Shape
from nnctl.spec.initializers.base import Initializer
from nnctl.spec.initializers.plain import Constant
from nnctl.spec.shapes import Reach, ShapeError, Steps, format_shape, require_rank

from .sharing import of_the_owner

ONE = Constant(type="constant", value=1.0)


class Recurrent(LayerModel):
    """What all of them have: from a sequence (T, C) to the states (T, units), or to the last one.

    They start from zeros, from trained numbers h0 (of an lstm c0 too) with ``initial_state =
    "learned"``, or, with a second layer to read, from what that gives: ``units`` numbers are the
    first h, and of an lstm twice as many h and c.

    w is [C, gates * units], u [units, gates * units], b [gates * units]. In training
    ``recurrent_dropout`` hides some numbers of the state from the next step's products, and scales
    the rest (Gal & Ghahramani 2016).
    """

    takes_table: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (1, 2)

    gates: ClassVar[int] = 1
    handed_on: ClassVar[tuple[str, ...]] = ("h",)
    laid_out: ClassVar[tuple[str, ...]] = ("units", "layer_norm", "initial_state")

    units: int = Field(ge=1, le=1_000_000, description="numbers of the state")
    returns: Literal["sequence", "last"] = Field(
        "sequence", description='the state at every step ("sequence"), or at the last one only'
    )
    backward: bool = Field(False, description="go from the last step to the first")
    bias: bool = Field(True, description="add trained numbers to the gates")
    recurrent_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="probability that the next step does not see a number of the state, the same "
        "numbers at all steps of a sample",
    )
    initial_state: Literal["zeros", "learned"] = Field(
        "zeros", description="the state before the first step: zeros, or trained, which start at 0"
    )
    layer_norm: bool = Field(
        False, description="normalize the products with the input and with the state"
    )
    init: Initializer | None = Field(None, description="start of w; default glorot_uniform")
    recurrent_init: Initializer | None = Field(
        None, description="start of u; default glorot_uniform"
    )
    bias_init: Initializer | None = Field(None, description="start of b; default zeros")
    l1: float | None = Field(
        None, ge=0, le=1e6, description="L1 penalty of w and u; default that of [regularization]"
    )
    l2: float | None = Field(
        None, ge=0, le=1e6, description="L2 penalty of w and u; default that of [regularization]"
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        hint = "a sequence has two axes, steps and channels: tokens go through an embedding,\n"
        hint += 'a recurrent layer gives one with returns = "sequence", and reshape makes one'
        steps, _ = require_rank(inputs[:1], (2,), self.type, hint)
        self._check_start(inputs[1:])
        return (steps, self.units) if self.returns == "sequence" else (self.units,)

    def _check_start(self, given: Sequence[Shape]) -> None:
        """A second input is the state at the start."""
        sizes = [k * self.units for k in range(1, len(self.handed_on) + 1)]
        if given and self.initial_state == "learned":
            message = f"{self.type} starts from what the second layer it reads gives"
            raise ShapeError(message, 'remove initial_state = "learned", or that layer')
        for shape in given:
            if len(shape) != 1 or shape[0] not in sizes:
                wanted = " or ".join(str(size) for size in sizes)
                message = f"{self.type} starts from {wanted} numbers, the second layer it reads"
                raise ShapeError(
                    f"{message} gives {format_shape(shape)}",
                    f"let a dense layer with units = {sizes[0]} make the state it starts from",
                )

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        channels, columns = inputs[0][-1], self.gates * self.units
        start = self.init or self.weights_start
        again = self.recurrent_init or self.weights_start
        found = {
            "w": Parameter((channels, columns), start, "weight", channels, self.units),
            "u": Parameter((self.units, columns), again, "weight", self.units, self.units),
        }
        for name in self.biases if self.bias else ():
            found[name] = Parameter((columns,), self.bias_start(name), "bias", channels, self.units)
        if self.layer_norm:
            found |= {
                name: Parameter((count * self.units,), ONE, "norm", 1, 1)
                for name, count in self.gains.items()
            }
        return found | self._learned_start()

    def _learned_start(self) -> dict[str, Parameter]:
        """The states that a sequence starts from, where they are trained."""
        learned = self.handed_on if self.initial_state == "learned" else ()
        return {f"{name}0": Parameter((self.units,), "zeros", "bias", 1, 1) for name in learned}

    @property
    def gains(self) -> dict[str, int]:
        """What layer normalization multiplies by, and how many numbers a unit of each."""
        return {"gain_w": self.gates, "gain_u": self.gates}

    @property
    def kept(self) -> int:
        """Numbers of a unit's step that the way back needs: of the gates, and the states."""
        return 2

    @property
    def weights_start(self) -> str:
        """How w and u start where the spec does not say."""
        return "glorot_uniform"

    @property
    def biases(self) -> tuple[str, ...]:
        """Names of the biases."""
        return ("b",)

    def bias_start(self, name: str) -> Any:
        """How a bias starts."""
        return self.bias_init or "zeros"

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def flops(self, inputs: Sequence[Shape]) -> int:
        (steps, channels), columns = inputs[0], self.gates * self.units
        each = 4 + 14 * self.layer_norm
        return steps * columns * (2 * (channels + self.units) + each)

    def steps(self, inputs: Sequence[Shape]) -> Steps:
        every = self.returns == "sequence"
        return Steps(inputs[0][0], self.kept * self.units, self.handed_on, self.backward, every)

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        steps = inputs[0][0]
        if self.returns == "last":
            return None
        return (Reach(0, steps),) if self.backward else (Reach(-steps, 1),)

    def conflicts(self) -> Iterable[Finding]:
        if self.bias_init is not None and not self.bias:
            yield Finding(("bias_init",), "has no effect with bias = false", "remove one of them")
        if self.layer_norm and self.units == 1:
            message = "a single number, normalized, is always zero"
            yield Finding(("layer_norm",), message, "use more units, or remove it")
        yield from of_the_owner(self, "init", "recurrent_init", "bias_init", "l1", "l2")


class Rnn(Recurrent):
    """h = g(x w + h u + b): the state is a function of the step and of the state before (Elman
    1990).

    With ``layer_norm`` (Ba, Kiros & Hinton 2016) the sum of both products is normalized over its
    ``units`` numbers: h = g(gain N(x w + h u) + b), N(a) = (a - mean) / sqrt(variance + 1e-5).
    """

    type: Literal["rnn"]
    nonlinearity: Literal["tanh", "relu", "sigmoid", "linear"] = Field("tanh", description="g")

    @property
    def weights_start(self) -> str:
        return "he_normal" if self.nonlinearity == "relu" else "glorot_uniform"

    @property
    def gains(self) -> dict[str, int]:
        return {"gain": 1}


class Lstm(Recurrent):
    """Long short-term memory: gates decide what a cell c forgets, takes in and shows (Hochreiter &
    Schmidhuber 1997; forget gate by Gers, Schmidhuber & Cummins 2000).

    i, f, o = sigmoid(x w + h u + b), g = tanh(x w + h u + b); c = f c + i g, h = o tanh(c). Gates
    lie in the order i, f, g, o. The bias of the forget gate starts at 1: c is kept
    at first.

    With ``peepholes`` (Gers & Schmidhuber 2000) gates see c: p c comes to the sums of i and f, of
    the c before, and to that of o, of the new one, number by number. p is [3, units], for i, f and
    o, and starts at 0.

    With ``layer_norm`` (Ba, Kiros & Hinton 2016) both products are normalized over all their
    4 units numbers, and c before it is shown: the sums are gain_w N(x w) + gain_u N(h u) + b, and
    h = o tanh(gain_c N(c) + shift_c), N(a) = (a - mean) / sqrt(variance + 1e-5). b stands for the
    shifts of both products.
    """

    gates: ClassVar[int] = 4
    handed_on: ClassVar[tuple[str, ...]] = ("h", "c")
    laid_out: ClassVar[tuple[str, ...]] = (*Recurrent.laid_out, "peepholes")

    type: Literal["lstm"]
    forget_bias: float = Field(
        1.0, ge=-1e3, le=1e3, description="start of the forget gate's bias; the others start at 0"
    )

    peepholes: bool = Field(False, description="let the gates see c, by weights p")

    @property
    def gains(self) -> dict[str, int]:
        return {**super().gains, "gain_c": 1}

    @property
    def kept(self) -> int:
        return 14 if self.layer_norm else 6  # with it what w gives and what u gives, and the gates

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        found = super().parameters(inputs)
        if self.layer_norm:
            found["shift_c"] = Parameter((self.units,), "zeros", "norm", 1, 1)
        if self.peepholes:
            found["p"] = Parameter((3, self.units), "zeros", "bias", 1, 1)
        return found

    def bias_start(self, name: str) -> Any:
        forget = Constant(type="constant", value=self.forget_bias)
        return self.bias_init or ("zeros", forget, "zeros", "zeros")

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        if "forget_bias" in self.model_fields_set and (self.bias_init or not self.bias):
            what = "bias = false" if not self.bias else "bias_init"
            yield Finding(("forget_bias",), f"has no effect with {what}", "remove one of them")


class Gru(Recurrent):
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
    laid_out: ClassVar[tuple[str, ...]] = (*Recurrent.laid_out, "reset")

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
