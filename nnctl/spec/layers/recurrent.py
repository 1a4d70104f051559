"""Recurrent layers: the same weights at every step of a sequence, and a state that is handed on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Finding, LayerModel, Parameter, Shape, State
from nnctl.spec.initializers.base import Initializer
from nnctl.spec.initializers.plain import Constant
from nnctl.spec.shapes import Reach, ShapeError, Steps, format_shape, require_rank
from nnctl.windows import segment

from .sharing import of_the_owner

ONE, FORGET = Constant(type="constant", value=1.0), 1.0  # the latter: an lstm's forget gate


class Recurrent(LayerModel):
    """What all of them have: from a sequence (T, C) to the states (T, units), or to the last one.

    They start from zeros, from trained numbers h0 (of an lstm c0 too) with ``initial_state =
    "learned"``, or, with a second layer to read, from what that gives: ``units`` numbers are the
    first h, and of an lstm twice as many h and c.

    w is [C, gates * units], u [units, gates * units], b [gates * units]. In training
    ``recurrent_dropout`` hides some numbers of the state from the next step's products, and scales
    the rest (Gal & Ghahramani 2016).

    With ``stateful`` sample i of a batch starts where sample i of the batch before ended, while
    gradients stop at the start of a window (truncated backpropagation through time: Williams & Peng
    1990). The windows of the training part are then as many streams as a batch has samples, the
    first ones a window longer where they do not come out even, and batch b has window b of each.
    Streams start from zeros in every epoch. Evaluation is one stream of all windows in order.
    """

    takes_table: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (1, 2)

    gates: ClassVar[int] = 1
    handed_on: ClassVar[tuple[str, ...]] = ("h",)
    laid_out: ClassVar[tuple[str, ...]] = ("units", "initial_state")

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
    stateful: bool = Field(
        False,
        description="start where the same sample of the batch before ended: windows of one long "
        "sequence, in order",
    )
    gradient_checkpointing: bool = Field(
        False,
        description="keep the states of every k-th step alone, k about the root of their number, "
        "and compute the steps between again on the way back",
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
        return (steps, self.width) if self.returns == "sequence" else (self.width,)

    @property
    def width(self) -> int:
        """Numbers of the state, which are those of the output."""
        return self.units

    def _check_start(self, given: Sequence[Shape]) -> None:
        """A second input is the state at the start."""
        if given and self.stateful:
            message = "stateful = true: it starts where the batch before ended, not from a layer"
            raise ShapeError(message, "remove stateful, or the second of the layers that it reads")
        sizes = [k * self.width for k in range(1, len(self.handed_on) + 1)]
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
        return found | self._learned_start()

    def _learned_start(self) -> dict[str, Parameter]:
        """The states that a sequence starts from, where they are trained."""
        learned = self.handed_on if self.initial_state == "learned" else ()
        return {f"{name}0": Parameter((self.width,), "zeros", "bias", 1, 1) for name in learned}

    @property
    def kept(self) -> int:
        """Numbers of a unit's step that the way back needs: of the gates, and the states."""
        return 2

    @property
    def weights_start(self) -> str:  # of w and u, where the spec does not say
        return "glorot_uniform"

    @property
    def biases(self) -> tuple[str, ...]:
        """Names of the biases."""
        return ("b",)

    def bias_start(self, name: str) -> Any:
        """How a bias starts."""
        return self.bias_init or "zeros"

    def states(self, inputs: Sequence[Shape]) -> dict[str, State]:
        if not self.stateful:
            return {}
        shape = (len(self.handed_on) * self.units,)
        return {"carried": State(shape, 0.0, of_samples=True, pieces=self.handed_on)}

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def flops(self, inputs: Sequence[Shape]) -> int:
        (steps, channels), columns = inputs[0], self.gates * self.units
        return steps * columns * (2 * (channels + self.units) + 4)

    def steps(self, inputs: Sequence[Shape]) -> Steps:
        count, every = inputs[0][0], self.returns == "sequence"
        return Steps(
            count,
            self.kept * self.units,
            self.handed_on,
            self.backward,
            every,
            tuple(self._learned_start()),
            segment=segment(count) if self.gradient_checkpointing else None,
            handed=len(self.handed_on) * self.units,
        )

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        steps = inputs[0][0]
        if self.returns == "last":
            return None
        return (Reach(0, steps),) if self.backward else (Reach(-steps, 1),)

    def conflicts(self) -> Iterable[Finding]:
        if self.bias_init is not None and not self.bias:
            yield Finding(("bias_init",), "has no effect with bias = false", "remove one of them")
        if self.stateful and self.backward:
            message = "cannot hold with backward = true: a window would go on from a later one"
            yield Finding(("stateful",), message, "remove one of them")
        if self.stateful and self.initial_state == "learned":
            message = "has no effect with stateful = true: it starts where the batch before ended"
            yield Finding(("initial_state",), message, "remove one of them")
        yield from of_the_owner(self, "init", "recurrent_init", "bias_init", "l1", "l2")


class Normed(Recurrent):
    """One whose products may be normalized."""

    laid_out: ClassVar[tuple[str, ...]] = (*Recurrent.laid_out, "layer_norm")

    layer_norm: bool = Field(
        False, description="normalize the products with the input and with the state"
    )

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        found = super().parameters(inputs)
        for name, count in self.gains.items() if self.layer_norm else ():
            found[name] = Parameter((count * self.units,), ONE, "norm", 1, 1)
        return found

    @property
    def gains(self) -> dict[str, int]:
        """What layer normalization multiplies by, and how many numbers a unit of each."""
        return {"gain_w": self.gates, "gain_u": self.gates}

    def flops(self, inputs: Sequence[Shape]) -> int:
        columns = inputs[0][0] * self.gates * self.units
        return super().flops(inputs) + 14 * self.layer_norm * columns

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        if self.layer_norm and self.units == 1:
            message = "a single number, normalized, is always zero"
            yield Finding(("layer_norm",), message, "use more units, or remove it")


class Rnn(Normed):
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


class Lstm(Normed):
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
    laid_out: ClassVar[tuple[str, ...]] = (*Normed.laid_out, "peepholes")

    type: Literal["lstm"]
    forget_bias: float = Field(
        FORGET,
        ge=-1e3,
        le=1e3,
        description="start of the forget gate's bias; the others start at 0",
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
        if self.forget_bias != FORGET and (self.bias_init or not self.bias):
            what = "bias = false" if not self.bias else "bias_init"
            yield Finding(("forget_bias",), f"has no effect with {what}", "remove one of them")
