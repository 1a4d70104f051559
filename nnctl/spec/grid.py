"""What layers over a grid have in common: numbers for each axis, and errors of their windows.

A sample is a series (L, C), an image (H, W, C) or a video (D, H, W, C), channels last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from nnctl.windows import Axis, axes_of

from .base import Expect, Finding, LayerModel
from .shapes import Passage, Reach, Shape, ShapeError, Through, format_shape

AXES = {1: "L, C", 2: "H, W, C", 3: "D, H, W, C"}

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Counts = Annotated[
    Count | Annotated[list[Count], Field(min_length=1, max_length=3)],
    Expect("an integer of at least 1, or a list of them, one for each axis"),
]
Side = Annotated[int, Field(ge=0, le=1_000_000)]
Ends = Annotated[list[Side], Field(min_length=2, max_length=2)]
_OneAxis = Annotated[
    Side | Ends, Expect("an integer of at least 0, or two of them, [before, after]")
]
Sides = Annotated[list[_OneAxis], Field(min_length=1, max_length=3)]
_NUMBERS = "an integer of at least 0, or a list of them or of [before, after], one for each axis"
Padding = Annotated[
    Literal["valid", "same", "full"] | Side | Sides,
    Expect(f'one of "valid", "same", "full", or {_NUMBERS}'),
]
SeriesPadding = Annotated[
    Literal["valid", "same", "full", "causal"] | Side | Sides,
    Expect(f'one of "valid", "same", "full", "causal", or {_NUMBERS}'),
]


class GridModel(LayerModel):
    """A layer that knows how many axes its samples have: ``rank`` beside the channels."""

    rank: ClassVar[int]
    ranks: ClassVar[tuple[int, ...]] = (1, 2, 3)
    """Those that there are types of the same name for: ``conv1d``, ``conv2d``, ``conv3d``."""

    counts: ClassVar[tuple[str, ...]] = ()
    """Fields that hold one number for all axes or one for each."""

    def conflicts(self) -> Iterable[Finding]:
        yield from wrong_lengths(self, self.counts, self.rank)

    def grid(self, inputs: Sequence[Shape]) -> Shape:
        """Return the only input's shape; raise ShapeError if it has not the axes."""
        (shape,) = inputs
        if len(shape) != self.rank + 1:
            message = f"{self.type} expects {self.rank + 1} axes ({AXES[self.rank]})"
            hint = self._other_rank(shape)
            raise ShapeError(f"{message}, given {format_shape(shape)}", hint)
        return shape

    def _other_rank(self, shape: Shape) -> str:
        reshape = f'put a layer of type = "reshape" before it: shape = [{AXES[self.rank]}]'
        if len(shape) == self.rank:
            reshape = reshape.replace(AXES[self.rank], ", ".join(map(str, (*shape, 1))))
        if len(shape) - 1 in self.ranks:
            other = self.type.replace(f"{self.rank}d", f"{len(shape) - 1}d")
            return f'use "{other}", or {reshape}'
        return reshape


class WindowModel(GridModel):
    """A layer whose output places each read a window of the input."""

    window: ClassVar[str]
    """The field that holds the window's size."""

    def axes(self, inputs: Sequence[Shape]) -> tuple[Axis, ...]:
        """Where the windows lie along each axis. Raises ShapeError where there is none."""
        shape = self.grid(inputs)
        names = (self.window, "stride", "padding", "dilation")
        fields = {name: getattr(self, name) for name in names if hasattr(self, name)}
        axes = axes_of(fields, shape, self.window)
        self._require_a_window(axes, shape)
        self._require_a_step(axes, shape)
        return axes

    def pads_nothing(self) -> bool:
        """Whether no place around the input is read, whatever its size."""
        padding, window = getattr(self, "padding", "valid"), getattr(self, self.window)
        if isinstance(padding, str):
            return padding == "valid" or not any(size > 1 for size in _flat(window))
        return not any(_flat(padding))

    def places(self, inputs: Sequence[Shape]) -> Shape:
        """The axes of the output, without channels."""
        return tuple(axis.out for axis in self.axes(inputs))

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return tuple(Reach(-a.before, a.span - a.before, a.stride) for a in self.axes(inputs))

    def passage(self, inputs: Sequence[Shape]) -> Passage | None:
        if self.rank != 1:
            return None
        (axis,) = self.axes(inputs)
        more = axis.before + axis.after - axis.span + axis.stride
        behind = self.behind() if axis.after else None
        return Passage(Through(1, more, axis.stride), behind, refused=self.refusal(axis))

    def behind(self) -> Literal["zeros", "last"]:
        """What its windows read behind the end of a sequence."""
        return "zeros"

    def refusal(self, axis: Axis) -> tuple[str, str] | None:
        """Say why sequences of several lengths cannot pass it, and what to do."""
        if getattr(self, "padding", None) == "same" and axis.stride > 1:
            message = 'pads by the length: padding = "same" at a stride of more than 1'
            return message, 'write padding = "causal" or "valid", or the numbers of its two ends'
        return None

    def _require_a_window(self, axes: Sequence[Axis], shape: Shape) -> None:
        if all(axis.span <= axis.padded for axis in axes):
            return
        spans, padded = sizes(a.span for a in axes), sizes(a.padded for a in axes)
        dilated = any(axis.dilation > 1 for axis in axes)
        about = f"its {self.window}, dilated, spans" if dilated else f"its {self.window} is"
        given = format_shape(shape) + ("" if padded == sizes(shape[:-1]) else f", padded {padded}")
        fit = [min(a.kernel, (a.padded - 1) // a.dilation + 1) for a in axes]
        most = min(fit) if isinstance(getattr(self, self.window), int) else fit
        raise ShapeError(
            f"{self.type} expects an input as large as its window: {about} {spans}, given {given}",
            f'take {self.window} = {most} or less, or padding = "same", '
            "or shrink less in the layers before it",
        )

    def _require_a_step(self, axes: Sequence[Axis], shape: Shape) -> None:
        """Refuse strides that lead from the first window past the end, with places left over."""
        if not any(axis.stride > axis.padded > axis.span for axis in axes):
            return
        strides, left = sizes(a.stride for a in axes), [a.padded for a in axes]
        raise ShapeError(
            f"{self.type} loses all but its first window: its stride is {strides}, "
            f"given {format_shape(shape)}",
            f"take stride = {min(left)} or less",
        )


def _flat(numbers: Any) -> Iterator[int]:
    """Yield a number, or those of a list, or of a list of lists."""
    if isinstance(numbers, int):
        yield numbers
    else:
        for each in numbers:
            yield from _flat(each)


def sizes(numbers: Iterable[int]) -> str:
    """Write what there is along each axis as a shape."""
    return format_shape(tuple(numbers))


def wrong_lengths(model: LayerModel, keys: Iterable[str], rank: int) -> Iterator[Finding]:
    """Find lists that have not one entry for each axis."""
    for key in keys:
        value: Any = getattr(model, key)
        pair = key == "padding" and rank == 1 and isinstance(value, list) and len(value) == 2
        if not isinstance(value, list) or len(value) == rank:
            continue
        if pair and all(isinstance(end, int) for end in value):
            continue  # of one axis, two numbers can only be its two ends
        entries = "1 entry" if rank == 1 else f"{rank} entries"
        message = f"expected {entries}, one for each axis ({AXES[rank][:-3]}), given {value}"
        yield Finding((key,), message, "write one number for all axes, or one for each")
