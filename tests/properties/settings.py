"""Fields and shapes at random. What the spec would refuse is not drawn: sizes are drawn last, among
those that the fields allow.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

Fields = dict[str, Any]
Shape = tuple[int, ...]
Numbers = list[int]

# About one, two and four vectors, and what leaves a rest of each
CHANNELS = (1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33, 48, 64)
BATCHES = (1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 20, 33)
SIZES = {1: 40, 2: 13, 3: 8}  # of an axis, at most
KERNELS = {1: 9, 2: 6, 3: 4}
WORK = 2_000_000  # multiply-adds of a case, at most


class Chance:
    """Random numbers by a counter: a stream for each case of each seed."""

    def __init__(self, seed: int, number: int) -> None:
        self.stream = np.random.Generator(np.random.Philox(key=[seed, number]))

    def number(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.stream.integers(low, high + 1))

    def of(self, options: Any) -> Any:
        """One of some options."""
        return options[self.number(0, len(options) - 1)]

    def holds(self, probability: float) -> bool:
        return bool(self.stream.random() < probability)

    def each(self, rank: int, low: int, high: int) -> Numbers:
        """A number for each axis, as often as not the same."""
        if self.holds(0.5):
            return [self.number(low, high)] * rank
        return [self.number(low, high) for _ in range(rank)]

    def said(self, numbers: Numbers) -> int | Numbers:
        """Numbers of axes as a spec says them: one for all, where that can be."""
        return numbers[0] if len(set(numbers)) == 1 and self.holds(0.7) else numbers


def spans(kernel: Numbers, dilation: Numbers) -> Numbers:
    return [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]


def sides(chance: Chance, most: Numbers) -> Any:
    """Padding in numbers, up to some of each axis: one for all, one or two for each."""
    form = chance.number(0, 2)
    if form == 0:
        return chance.number(0, min(most))
    if form == 1:
        return [chance.number(0, m) for m in most]
    return [[chance.number(0, m), chance.number(0, m)] for m in most]


def ends(padding: Any, size: int, axis: int, stride: int, span: int) -> tuple[int, int]:
    """What a padding puts before and behind an axis."""
    if padding == "same":
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
        return total // 2, total - total // 2
    named = {"valid": (0, 0), "full": (span - 1, span - 1), "causal": (span - 1, 0)}
    if isinstance(padding, str):
        return named[padding]
    own = padding if isinstance(padding, int) else padding[axis]
    return (own, own) if isinstance(own, int) else (own[0], own[1])


def pads(padding: Any, window: Numbers) -> bool:
    """Whether places around the input are read."""
    if isinstance(padding, str):
        return padding != "valid" and max(window) > 1
    own = [padding] if isinstance(padding, int) else padding
    return any(side if isinstance(side, int) else any(side) for side in own)


def size_of(chance: Chance, most: int, allowed: Callable[[int], bool]) -> int:
    """The size of an axis, small ones as often as not."""
    found = [size for size in range(1, most + 1) if allowed(size)]
    return int(chance.of(found[: max(1, len(found) // 2)] if chance.holds(0.5) else found))


def windows(chance: Chance, rank: int) -> tuple[Fields, Shape]:
    """The window of a convolution, and the places of an input that it fits."""
    kernel, stride = chance.each(rank, 1, KERNELS[rank]), chance.each(rank, 1, 4)
    dilation = chance.each(rank, 1, 3) if chance.holds(0.4) else [1] * rank
    if chance.holds(0.3):  # the kernels that most networks have
        kernel, stride, dilation = [3] * rank, [1] * rank, [1] * rank
    reach = spans(kernel, dilation)
    words = ["valid", "same", "full", *(["causal"] if rank == 1 else [])]
    padding = chance.of(words) if chance.holds(0.6) else sides(chance, reach)
    fields = {"kernel_size": chance.said(kernel), "stride": chance.said(stride)}
    fields |= {"dilation": chance.said(dilation), "padding": padding}
    mode = "zeros"
    if padding != "valid" and chance.holds(0.4):
        mode = chance.of(["reflect", "edge"]) if padding != "causal" else "edge"
    if not pads(padding, kernel):
        mode = "zeros"  # what nothing reads is refused
    fields["padding_mode"] = mode
    if chance.holds(0.2):
        fields["flip_kernel"] = True

    def fits(axis: int) -> Callable[[int], bool]:
        def allowed(size: int) -> bool:
            before, after = ends(padding, size, axis, stride[axis], reach[axis])
            padded = before + size + after
            mirrored = mode != "reflect" or max(before, after) < size
            lost = stride[axis] > padded > reach[axis]
            return padded >= reach[axis] and mirrored and not lost

        return allowed

    most = [max(SIZES[rank], 2 * r) for r in reach]
    return fields, tuple(size_of(chance, m, fits(a)) for a, m in enumerate(most))


def transposed(chance: Chance, rank: int) -> tuple[Fields, Shape]:
    """The window of a transposed convolution, and the places of an input that it leaves some of."""
    kernel, stride = chance.each(rank, 1, KERNELS[rank]), chance.each(rank, 1, 4)
    dilation = chance.each(rank, 1, 3) if chance.holds(0.4) else [1] * rank
    reach = spans(kernel, dilation)
    padding = chance.of(["valid", "same"]) if chance.holds(0.6) else sides(chance, reach)
    fields = {"kernel_size": chance.said(kernel), "stride": chance.said(stride)}
    fields |= {"dilation": chance.said(dilation), "padding": padding}
    more = [0] * rank
    if padding != "same" and chance.holds(0.4):
        more = [chance.number(0, s - 1) for s in stride]
    fields["output_padding"] = chance.said(more)

    def fits(axis: int) -> Callable[[int], bool]:
        def allowed(size: int) -> bool:
            cut = 0 if padding == "same" else sum(ends(padding, size, axis, 1, reach[axis]))
            return (size - 1) * stride[axis] + reach[axis] - cut + more[axis] >= 1

        return allowed

    most = [max(SIZES[rank] // 2, r + 2) for r in reach]
    return fields, tuple(size_of(chance, m, fits(a)) for a, m in enumerate(most))


def pooled(chance: Chance, rank: int) -> tuple[Fields, Shape]:
    """The window of a pool, every one with a part of the input in it."""
    kernel = chance.each(rank, 1, min(KERNELS[rank], 5))
    stride = list(kernel) if chance.holds(0.4) else chance.each(rank, 1, 4)
    words = ["valid", "same", "full", *(["causal"] if rank == 1 else [])]
    padding = chance.of(words) if chance.holds(0.6) else sides(chance, [k - 1 for k in kernel])
    fields: Fields = {"pool_size": chance.said(kernel), "padding": padding}
    fields["stride"] = None if stride == kernel and chance.holds(0.5) else chance.said(stride)

    def fits(axis: int) -> Callable[[int], bool]:
        def allowed(size: int) -> bool:
            before, after = ends(padding, size, axis, stride[axis], kernel[axis])
            padded = before + size + after
            if padded < kernel[axis] or stride[axis] > padded > kernel[axis]:
                return False
            last = (padded - kernel[axis]) // stride[axis] * stride[axis] - before
            return before < kernel[axis] and last < size

        return allowed

    return fields, tuple(size_of(chance, SIZES[rank], fits(a)) for a in range(rank))


def channels(chance: Chance, groups: int = 1, least: int = 1) -> int:
    """How many channels, or filters: what the groups divide."""
    return int(chance.of([c for c in (groups * c for c in CHANNELS) if least <= c <= 66]))


def groups(chance: Chance) -> int:
    return int(chance.of([2, 3, 4, 5, 16])) if chance.holds(0.35) else 1


def is_small(places: Shape, kernel: int, channels: int, filters: int, batch: int) -> bool:
    return prod(places) * kernel * channels * filters * batch <= WORK
