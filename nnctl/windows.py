"""Where the windows of convolutions and pools lie on their input, from a layer's fields; and into
what segments recurrent layers cut their steps.

Window ``o`` of an axis reads the places  o * stride - before + k * dilation,  0 <= k < kernel, of
which those outside 0 to size are padding. The number of windows is
(size + before + after - span) // stride + 1  with  span = (kernel - 1) * dilation + 1. What a user
may say of them is checked in ``spec/``, what is computed on them is in ``ops/``: both count here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any, NamedTuple


def segment(steps: int) -> int:
    """Steps of a segment of a sequence of ``steps``, of which there are as many or fewer."""
    return 1 + isqrt(steps - 1)


class Axis(NamedTuple):
    """The windows along one axis: ``out`` of them over ``size`` places."""

    size: int
    out: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def span(self) -> int:
        """Places from the first to the last of a window."""
        return (self.kernel - 1) * self.dilation + 1

    @property
    def padded(self) -> int:
        """Places of the input with its padding."""
        return self.before + self.size + self.after


def per_axis(value: Any, count: int) -> tuple[int, ...]:
    """A field that is one number for all axes, or one for each."""
    return tuple(map(int, value)) if isinstance(value, Sequence) else (int(value),) * count


def paddings(
    value: Any,
    sizes: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> tuple[tuple[int, int], ...]:
    """Padding (before, after) of each axis, from the field ``padding``.

    ``same`` gives ceil(size / stride) windows, the odd place behind; ``full`` every window that
    meets the input; ``causal`` windows that end where they stand.
    """
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if value == "valid":
        return ((0, 0),) * len(spans)
    if value == "full":
        return tuple((span - 1, span - 1) for span in spans)
    if value == "causal":
        return tuple((span - 1, 0) for span in spans)
    if value == "same":
        totals = [
            max((-(-size // step) - 1) * step + span - size, 0)
            for size, step, span in zip(sizes, stride, spans, strict=True)
        ]
        return tuple((total // 2, total - total // 2) for total in totals)
    each = value if isinstance(value, Sequence) else [value] * len(spans)
    if len(spans) == 1 and len(each) == 2:
        each = [each]  # of one axis, two numbers can only be its two ends
    pairs = [one if isinstance(one, Sequence) else (one, one) for one in each]
    return tuple((int(before), int(after)) for before, after in pairs)


def axes_of(fields: Mapping[str, Any], shape: Sequence[int], kernel: str) -> tuple[Axis, ...]:
    """The windows along each axis of ``shape``, (..., C). ``kernel`` is the field of their size.

    ``stride = None`` sets windows side by side.
    """
    sizes = tuple(shape[:-1])
    count = len(sizes)
    places = per_axis(fields[kernel], count)
    stride = fields.get("stride")
    steps = places if stride is None else per_axis(stride, count)
    dilation = per_axis(fields.get("dilation", 1), count)
    pads = paddings(fields.get("padding", "valid"), sizes, places, steps, dilation)
    found = []
    for size, k, step, d, (before, after) in zip(sizes, places, steps, dilation, pads, strict=True):
        out = (size + before + after - (k - 1) * d - 1) // step + 1
        found.append(Axis(size, out, k, step, d, before, after))
    return tuple(found)
