"""The protocol between an op's file and the plan: kernels bound by name.

An op file registers, for a layer's ``type``, which kernels its forward and its backward pass call.
A kernel's argument names are the wiring: ``x`` (``x0``, ``x1``, ...) inputs, ``y`` output, a
leading ``d`` for gradients, parameters by name, the layer's fields by name, ``NAME_ld`` and
``NAME_width`` the row stride and row length of an array. ``dx`` is overwritten, parameter gradients
accumulate when ``dNAME_accumulates`` is 1. What the backward pass names is what stays alive until
then.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nnctl.engine.kernel import Kernel, Split


@dataclass(frozen=True)
class Temporary:
    """Memory that an op needs for a while, shared by name: ``elements`` of the network's own type
    ("f"), or of double precision ("d")."""

    name: str
    elements: int
    dtype: str = "f"


Record = tuple[int, ...]
"""A NamedTuple of whole numbers, such as the geometry of a convolution: one argument of a kernel,
read by name."""


@dataclass(frozen=True)
class Call:
    """One kernel of an op; ``bind`` renames arguments or gives them numbers and temporaries."""

    kernel: Kernel
    bind: Mapping[str, str | int | float | Temporary | Record] = field(default_factory=dict)


@dataclass(frozen=True)
class Site:
    """What an op may know of the place it stands in. Widths are elements of a sample."""

    inputs: tuple[int, ...]
    output: int
    shapes: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    fields: Mapping[str, Any]
    needs_dx: tuple[bool, ...]
    transposed: bool  # its ``w`` is another layer's, used the other way round
    parameters: tuple[str, ...]
    capacity: int
    lanes: int
    shards: Split  # how calls on samples are cut
    takes_over: bool = False  # the first gradient asked for lies where dy lies


Lowering = Callable[[Site], Sequence[Call]]
Saved = str | Callable[[Site], int]
"""What is kept for the backward pass: "rows" of the output's width, a "column" of one number a
sample, "channels", or so many numbers."""


@dataclass(frozen=True)
class Op:
    """How one layer type runs. ``same``: the output is the input's memory under another shape."""

    tag: str
    forward: Lowering
    backward: Lowering
    evaluate: Lowering
    keep: Lowering  # at the end of a step that trains: moves the layer's states
    saved: Mapping[str, Saved]  # kept for backward
    layouts: Mapping[str, str]  # parameter -> memory layout, "vector" where not named
    same: bool = False
    same_in_evaluation: bool = False
    fold: Lowering | None = None  # in evaluation: moves what it does into the weights before it
    takes_fold: bool = False  # its w (panels) and b can take in what follows
    takes_over: bool = False  # the first of its dx may lie where dy (dy0) lies

    @property
    def is_elementwise(self) -> bool:
        """Whether the output may take the place of the input."""
        return getattr(self.forward, "is_elementwise", False)


_OPS: dict[str, Op] = {}


def _lowering(kernels: Kernel | Lowering | None) -> Lowering:
    if kernels is None:
        return lambda site: ()
    if not isinstance(kernels, Kernel):
        return kernels
    calls = (Call(kernels),)

    def lower(site: Site) -> Sequence[Call]:
        return calls

    lower.is_elementwise = kernels.kind == "elementwise"  # type: ignore[attr-defined]
    return lower


def register(
    tag: str,
    forward: Kernel | Lowering | None = None,
    backward: Kernel | Lowering | None = None,
    *,
    evaluate: Kernel | Lowering | None = None,
    keep: Kernel | Lowering | None = None,
    saved: Mapping[str, Saved] | None = None,
    layouts: Mapping[str, str] | None = None,
    same: bool = False,
    same_in_evaluation: bool = False,
    fold: Lowering | None = None,
    takes_fold: bool = False,
    takes_over: bool = False,
) -> None:
    """Say how layers of type ``tag`` run; a single kernel is one call, its names as they are."""
    run = _lowering(forward)
    _OPS[tag] = Op(
        tag,
        run,
        _lowering(backward),
        run if evaluate is None else _lowering(evaluate),
        _lowering(keep),
        dict(saved or {}),
        dict(layouts or {}),
        same,
        same or same_in_evaluation,
        fold,
        takes_fold,
        takes_over,
    )


@lru_cache
def _load_all() -> None:
    package = importlib.import_module(__package__ or "nnctl.ops")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def find(tag: str) -> Op:
    """Return the op of a layer type."""
    _load_all()
    return _OPS[tag]


def tags() -> tuple[str, ...]:
    """Return the types of all ops, sorted."""
    _load_all()
    return tuple(sorted(_OPS))


@dataclass(frozen=True)
class Loss:
    """How a loss runs: a forward and a backward kernel for each kind of target it takes.

    Kinds: ``class`` (argument ``labels``) and ``rows`` (argument ``target``), and the same with a
    target for each of ``steps`` steps, ``class_steps`` and ``rows_steps``: these give the sum over
    the steps that count, those whose label is not negative, whose numbers hold no NaN, and take
    ``share``, one over the steps of the batch that count, where the others take ``inverse_live``.
    """

    tag: str
    kernels: Mapping[str, tuple[Kernel, Kernel]]
    saved: Mapping[str, str]


_LOSSES: dict[str, Loss] = {}


def register_loss(
    tag: str,
    *,
    labels: tuple[Kernel, Kernel] | None = None,
    rows: tuple[Kernel, Kernel] | None = None,
    step_labels: tuple[Kernel, Kernel] | None = None,
    step_rows: tuple[Kernel, Kernel] | None = None,
    saved: Mapping[str, str] | None = None,
) -> None:
    """Say how the loss ``tag`` runs on class labels and on rows of numbers, a sample or a step."""
    kinds = {"class": labels, "rows": rows, "class_steps": step_labels, "rows_steps": step_rows}
    _LOSSES[tag] = Loss(tag, {k: v for k, v in kinds.items() if v is not None}, dict(saved or {}))


def find_loss(tag: str) -> Loss:
    """Return how a loss runs."""
    _load_all()
    return _LOSSES[tag]


def loss_tags() -> tuple[str, ...]:
    """Return the types of all losses, sorted."""
    _load_all()
    return tuple(sorted(_LOSSES))
