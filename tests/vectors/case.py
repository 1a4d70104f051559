"""The forms of a case: one op, loss or optimizer with fields, shapes and an independent twin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Context:
    """Where a batch runs: what an op may depend on beside its inputs."""

    training: bool = True
    seed: int = 5
    step: int = 3
    node: str = "op"


@dataclass(frozen=True)
class OpCase:
    """One op at one place. ``forward(inputs, params, context) -> y`` in plain float64 NumPy.

    ``kinks``: values of an input at which the derivative jumps. ``surrogate``: the function whose
    derivative is meant to be the gradient, where that is not ``forward``'s (straight-through).
    ``differs``: training and evaluation are not the same. ``by_place``: a sample's result depends
    on its place in the batch. ``joint``: it depends on the other samples, in training.
    ``states``: what the layer keeps, as evaluation finds it. ``apart``: no two values of a channel
    may be near each other, as their order decides. ``consumers``: gradients that come back (a
    ``split``). ``tokens``: inputs are whole numbers below this. ``blocks``: several outputs are
    computed as one, so that what is not finite may reach neighbors in its sample. ``single``: bound
    of the relative error in float32.
    """

    tag: str
    shapes: tuple[Shape, ...]
    shape: Shape
    forward: Callable[[list[Array], Mapping[str, Array], Context], Array]
    fields: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Shape] = field(default_factory=dict)
    batch: int = 5
    transposed: bool = False
    kinks: tuple[float, ...] = ()
    surrogate: Callable[..., Array] | None = None
    differs: bool = False
    by_place: bool = False
    joint: bool = False
    states: Mapping[str, Array] = field(default_factory=dict)
    apart: bool = False
    consumers: int = 1
    tokens: int = 0
    blocks: bool = False
    single: float = 3e-6
    note: str = ""

    @property
    def id(self) -> str:
        sizes = ",".join("x".join(map(str, s)) for s in self.shapes)
        said = [f"{k}={v}" for k, v in self.fields.items()] + ([self.note] if self.note else [])
        return f"{self.tag}[{self.batch}:{sizes}{';' if said else ''}{','.join(said)}]"


@dataclass(frozen=True)
class LossCase:
    """One loss. ``reference(x, target) -> losses (n,)``; ``target`` are rows, or labels (n,)."""

    tag: str
    width: int
    reference: Callable[[Array, Array], Array]
    target: Callable[[np.random.Generator, int], Array]
    fields: Mapping[str, Any] = field(default_factory=dict)
    class_weights: tuple[float, ...] | None = None
    batch: int = 8
    kinks: tuple[float, ...] = ()  # of x - target
    single: float = 3e-6
    note: str = ""

    @property
    def id(self) -> str:
        said = [f"{k}={v}" for k, v in self.fields.items() if v is not None]
        said += ["weights"] if self.class_weights else []
        return f"{self.tag}[{self.batch}:{self.width};{','.join([*said, self.note])}]"


@dataclass(frozen=True)
class OptimCase:
    """One optimizer, as fields of its spec; ``reference`` moves plain Python floats.

    ``reference(fields, start, gradient, rates) -> values after each step``, where ``gradient(p)``
    is the gradient of the one parameter at p.
    """

    tag: str
    reference: Callable[..., list[float]]
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.tag}[{','.join(f'{k}={v}' for k, v in self.fields.items())}]"
