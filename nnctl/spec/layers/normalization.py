"""Layers that give what passes them mean 0 and variance 1, and then a trained scale and shift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import LayerModel, Parameter, Shape, ShapeError, State
from nnctl.spec.initializers.plain import Constant
from nnctl.spec.shapes import Passage, Reach, format_shape, size


class Normalization(LayerModel):
    """What all of them have: epsilon, and a scale and a shift that are trained."""

    epilogue: ClassVar[bool] = True

    epsilon: float = Field(
        1e-5, gt=0, le=1.0, description="added to the variance before its root is taken"
    )
    scale: bool = Field(True, description="multiply by trained numbers gamma, which start at 1")
    shift: bool = Field(True, description="add trained numbers beta, which start at 0")

    def trained_shape(self, shape: Shape) -> Shape:
        """The shape of gamma and beta."""
        return shape[-1:]

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        shape = self.trained_shape(inputs[0])
        found = {}
        if self.scale:
            found["gamma"] = Parameter(shape, Constant(type="constant", value=1.0), "norm", 1, 1)
        if self.shift:
            found["beta"] = Parameter(shape, "zeros", "norm", 1, 1)
        return found

    def passage(self, inputs: Sequence[Shape]) -> Passage | None:
        message = "would count the padding of the shorter sequences in its mean and variance"
        return Passage(refused=(message, "use layer_norm, which normalizes each step on its own"))

    def flops(self, inputs: Sequence[Shape]) -> int:
        return 7 * size(inputs[0])  # three a number for its sums, four to apply them


class BatchNorm(Normalization):
    """Normalize each channel by its mean and variance over the batch (Ioffe & Szegedy 2015).

    A channel is a number of the last axis, over the samples of the batch and all places of a
    sample. Evaluation uses running statistics, which follow those of the training batches; they
    are part of every checkpoint.
    """

    called: ClassVar[Mapping[str, str]] = {
        "momentum": "write running_decay: what Keras calls momentum, and PyTorch 1 - momentum",
        "affine": "write scale and shift, which are true by default",
    }

    type: Literal["batch_norm"]
    running_decay: float = Field(
        0.9,
        ge=0,
        lt=1,
        description="running statistics = running_decay * old + (1 - running_decay) * batch's, its "
        "variance over M numbers divided by M",
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return _with_channels(inputs[0], "batch_norm")

    def states(self, inputs: Sequence[Shape]) -> dict[str, State]:
        shape = inputs[0][-1:]
        return {"running_mean": State(shape, 0.0), "running_var": State(shape, 1.0)}

    def least_batch(self, inputs: Sequence[Shape]) -> int:
        return 2 if size(inputs[0][:-1]) == 1 else 1


class LayerNorm(Normalization):
    """Normalize each sample by its own mean and variance (Ba, Kiros & Hinton 2016).

    ``axes = "last"``: over the numbers of the last axis, at each place on its own; with ``"all"``
    over all numbers of the sample. gamma and beta have the shape of what is normalized together.
    Training and evaluation are the same.
    """

    type: Literal["layer_norm"]
    axes: Literal["last", "all"] = Field(
        "last", description='normalize over the "last" axis, or over "all" numbers of a sample'
    )

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return self.axes == "last"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = _with_channels(inputs[0], "layer_norm")
        if size(self.trained_shape(shape)) == 1:
            hint = 'normalize over all axes (axes = "all"), use batch_norm, or remove the layer'
            raise ShapeError("layer_norm of a single number is always zero", hint)
        return shape

    def trained_shape(self, shape: Shape) -> Shape:
        return shape if self.axes == "all" else shape[-1:]

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return None if self.axes == "all" else super().reach(inputs)


class GroupNorm(Normalization):
    """Normalize groups of channels of each sample, over all its places (Wu & He 2018).

    ``groups = 1`` takes all channels together; as many groups as channels is instance
    normalization. gamma and beta are one number a channel. Training and evaluation are the same.
    """

    type: Literal["group_norm"]
    groups: int = Field(
        ge=1, le=1_000_000, description="parts of the channels; must divide their number"
    )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        shape = _with_channels(inputs[0], "group_norm")
        channels = shape[-1]
        if channels % self.groups:
            choices = [str(n) for n in range(1, channels + 1) if channels % n == 0]
            listed = ", ".join(choices[:12])
            message = f"group_norm: {self.groups} groups do not divide {channels} channels"
            raise ShapeError(message, f"set groups to one of {listed}")
        if size(shape) == self.groups:
            hint = "use fewer groups, or remove the layer"
            raise ShapeError("group_norm of single numbers is always zero", hint)
        return shape

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return None  # the mean and the variance are of all places


def _with_channels(shape: Shape, who: str) -> Shape:
    if not shape:
        raise ShapeError(f"{who} expects at least 1 axis, given {format_shape(shape)}")
    return shape
