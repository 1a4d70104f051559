"""Fields that layers with a window of trained weights have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import Finding, Parameter, Shape, ShapeError
from nnctl.spec.grid import Count, Counts, GridModel, SeriesPadding, WindowModel, sizes
from nnctl.spec.initializers.base import Initializer
from nnctl.spec.shapes import Reach, format_shape
from nnctl.windows import Axis

from .activations.base import Activation
from .sharing import of_the_owner

PADDING = (
    '"valid" none, "same" gives ceil(size / stride) places, "full" every window that meets the '
    "input, or places for each axis: 1, [1, 2], [[0, 1], [2, 2]]"
)
Penalty = Annotated[float, Field(ge=0, le=1e6)]


class Filtered(GridModel):
    """A layer with as many output channels as it likes."""

    filters: int = Field(ge=1, le=1_000_000, description="number of output channels")


class Grouped(Filtered):
    """A layer whose filters may read some of the channels only."""

    groups: Count = Field(
        1, description="parts that the channels are cut into, each with filters of its own"
    )

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        if self.filters % self.groups:
            yield Finding(
                ("groups",),
                f"expected a number that divides filters = {self.filters}, given {self.groups}",
                f"take filters = {-(-self.filters // self.groups) * self.groups}, for example",
            )

    def require_whole_groups(self, shape: Shape) -> None:
        """Raise ShapeError where the groups do not divide the channels of the input."""
        channels = shape[-1]
        if channels % self.groups:
            divisors = [g for g in range(1, channels + 1) if channels % g == self.filters % g == 0]
            raise ShapeError(
                f"{self.type} expects channels that its {self.groups} groups divide, "
                f"given {channels} ({format_shape(shape)})",
                f"take groups = {' or '.join(map(str, divisors[:8]))}, or another number of "
                "channels in the layer before it",
            )


class Sliding(WindowModel):
    """A layer whose window of weights moves over the input."""

    window: ClassVar[str] = "kernel_size"
    counts: ClassVar[tuple[str, ...]] = ("kernel_size", "stride", "dilation", "padding")

    kernel_size: Counts = Field(description="places of the window, of all axes or of each")
    stride: Counts = Field(1, description="places from one window to the next")
    padding: SeriesPadding = Field(
        "valid",
        description=f'places around the input: "causal" all of them before it, {PADDING}',
    )
    padding_mode: Literal["zeros", "reflect", "edge"] = Field(
        "zeros", description="what stands there: zeros, the input mirrored, or its border repeated"
    )
    dilation: Counts = Field(1, description="places from one that the window reads to the next")
    flip_kernel: bool = Field(
        False, description="turn the window round: the convolution of mathematics"
    )

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        if self.pads_nothing() and self.padding_mode != "zeros":
            message = 'has no effect with padding = "valid"'
            if self.padding != "valid":
                message = "has no effect: the windows read no padding"
            hint = 'set padding, to "same" for example, or remove it'
            yield Finding(("padding_mode",), message, hint)
        if self.padding == "causal" and self.padding_mode == "reflect":
            message = 'mirrors what comes after: with padding = "causal" nothing reads that'
            yield Finding(
                ("padding_mode",), message, 'use "edge", the first step again, or "zeros"'
            )

    def axes(self, inputs: Sequence[Shape]) -> tuple[Axis, ...]:
        axes = super().axes(inputs)
        self._require_what_is_mirrored(axes, inputs[0])
        return axes

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        found = super().reach(inputs) or ()
        return tuple(one._replace(beyond=self.padding_mode) for one in found)

    def behind(self) -> Literal["zeros", "last"]:
        return "last" if self.padding_mode == "edge" else "zeros"

    def refusal(self, axis: Axis) -> tuple[str, str] | None:
        if self.padding_mode == "reflect" and self.padding != "valid":
            message = 'mirrors sequences that may be shorter than its padding_mode = "reflect" asks'
            return message, 'use padding_mode = "zeros" or "edge"'
        return super().refusal(axis)

    def _require_what_is_mirrored(self, axes: Sequence[Axis], shape: Shape) -> None:
        most = [max(axis.before, axis.after) for axis in axes]
        if self.padding_mode == "reflect" and any(
            side >= axis.size for side, axis in zip(most, axes, strict=True)
        ):
            raise ShapeError(
                f'{self.type} with padding_mode = "reflect" expects an input larger than its '
                f"padding of {sizes(most)}, given {format_shape(shape)}",
                'use padding_mode = "edge" or "zeros", or less padding',
            )


class Weighted(GridModel):
    """A layer with weights, a bias, and an activation after them."""

    linear: ClassVar[bool] = True
    epilogue: ClassVar[bool] = True

    bias: bool = Field(True, description="add a trained number to each filter's output")
    activation: Activation | None = Field(None, description="g; default none, which is linear")
    init: Initializer | None = Field(
        None,
        description="start of w; default he_normal before relu and its kin, else glorot_uniform",
    )
    bias_init: Initializer | None = Field(None, description="start of b; default zeros")
    l1: Penalty | None = Field(
        None, description="L1 penalty of w; default that of [regularization]"
    )
    l2: Penalty | None = Field(
        None, description="L2 penalty of w; default that of [regularization]"
    )

    def conflicts(self) -> Iterable[Finding]:
        yield from super().conflicts()
        if self.bias_init is not None and not self.bias:
            yield Finding(("bias_init",), "has no effect with bias = false", "remove one of them")
        yield from of_the_owner(self, "bias_init", "init", "l1", "l2")

    def with_bias(
        self, arrays: dict[str, Parameter], filters: int, fan: tuple[int, int]
    ) -> dict[str, Parameter]:
        """Add the bias to the layer's parameters, if it has one."""
        if self.bias:
            arrays["b"] = Parameter((filters,), self.bias_init or "zeros", "bias", *fan)
        return arrays
