"""How a case is run, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tests.vectors.case import Array, OpCase


@dataclass(frozen=True)
class Setting:
    """``memory``: every array ``kept``, memory ``shared`` by lifetime, or shared and ``in_place``.
    ``held``: what the gradients of parameters hold before; None: they are to be overwritten.
    ``fill``: the byte that all memory is filled with before the run (255: NaN). ``padded``: room
    for more samples than there are."""

    dtype: str = "float64"
    threads: int = 1
    memory: str = "kept"
    training: bool = True
    held: float | None = None
    fill: int = 255
    padded: int = 0

    def but(self, **changes: Any) -> Setting:
        return replace(self, **changes)


@dataclass(frozen=True)
class Result:
    """Outputs, and in training gradients; ``changed`` names arrays that should not have changed."""

    y: Array
    dx: list[Array] = field(default_factory=list)
    dw: dict[str, Array] = field(default_factory=dict)
    changed: tuple[str, ...] = ()

    def arrays(self) -> dict[str, Array]:
        named = {f"dx{i}": a for i, a in enumerate(self.dx)}
        return {"y": self.y, **named, **{f"d{n}": a for n, a in self.dw.items()}}


@dataclass(frozen=True)
class Data:
    """Inputs, parameters and the gradients that come back, in float64."""

    x: list[Array]
    params: Mapping[str, Array]
    dy: list[Array]

    def rows(self, chosen: slice) -> Data:
        return Data([a[chosen] for a in self.x], self.params, [a[chosen] for a in self.dy])


Machine = Callable[[OpCase, Data, Setting], Result]
GAP = 0.05  # no input is nearer to a kink


def draw(case: OpCase, seed: int = 0) -> Data:
    """Random data for a case, away from its kinks, and with a random upstream gradient."""
    stream = np.random.default_rng(seed)

    def away(a: Array) -> Array:
        for kink in case.kinks:
            near = np.abs(a - kink) < GAP
            a = np.where(near, kink + np.where(a < kink, -2 * GAP, 2 * GAP), a)
        return a

    def spread(a: Array) -> Array:
        """The same shape, with steps of a gap between the values of a sample's channel."""
        n, channels = len(a), a.shape[-1]
        steps = GAP * np.arange(a[0].size // channels)[:, None]
        ranks = stream.permuted(np.broadcast_to(steps, (n, len(steps), channels)), axis=1)
        start = stream.normal(size=(n, 1, channels)) - steps.max() / 2
        return (ranks + start).reshape(a.shape)

    x = [away(stream.normal(size=(case.batch, *s))) for s in case.shapes]
    x = [spread(a) for a in x] if case.apart else x
    if case.tokens:
        x = [stream.integers(0, case.tokens, a.shape).astype(float) for a in x]
    params = {n: stream.normal(size=s) for n, s in case.params.items()}
    dy = [stream.normal(size=(case.batch, *case.shape)) for _ in range(case.consumers)]
    return Data(x, params, dy)
