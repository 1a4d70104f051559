"""Gradients checked against central differences, element by element, in float64.

    numeric = (loss(w + h) - loss(w - h)) / 2h,   h = STEP * max(1, |w|)

Every element of a parameter with at most ``EVERY`` of them is checked, else a fixed random sample
of ``EVERY``; in a network of many parameters fewer of each, so that ``ALL`` are checked in all. An
element agrees if ``|analytic - numeric|`` is at most ``TOLERANCE`` times the larger magnitude,
which counts as at least ``FLOOR`` times that of the loss (the differences hold no more digits than
that).

Kinks, where a relu, a max pool or a magnitude has its corner: in a deep network a step crosses
some corner nearly always. An element that disagrees at ``h`` is measured again at the finer steps
``h / FINER``. Where the step left a corner behind, the difference has moved to the analytic value:
it must agree there, and be ``NEARER`` times nearer than it was, which rounding does not do for a
value that is wrong. If at the finest step the slopes to both sides differ, the element lies on the
corner, and the analytic value has to lie between them. Else it fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nnctl.random import Purpose, permutation

Array = np.ndarray[Any, Any]

STEP = 1e-5
FINER = (16.0, 256.0)
NEARER = 4.0
EVERY = 256
ALL = 1024
LEAST = 8  # elements of each parameter, however many there are
TOLERANCE = 1e-5
FLOOR = 1e-4
START = 0.1  # parameters that start at 0 are checked at values up to this, where more happens


class Differentiable(Protocol):
    """The part of a float64 plan that verification needs."""

    def parameters(self) -> dict[str, Array]: ...
    def tensors(self) -> dict[str, Array]: ...
    def restore(self, tensors: Mapping[str, Array]) -> None: ...
    def loss(self, split: str, rows: Array) -> float: ...
    def gradients(self, split: str, rows: Array) -> tuple[float, dict[str, Array]]: ...


@dataclass(frozen=True)
class Element:
    """One element of a parameter: what the engine says, what the differences say."""

    index: tuple[int, ...]
    analytic: float
    numeric: float
    error: float
    passed: bool
    kink: bool = False


@dataclass(frozen=True)
class Checked:
    """One parameter: how many elements were checked, and the one that agrees least.

    ``skipped`` is the reason why none was."""

    parameter: str
    shape: tuple[int, ...]
    elements: int = 0
    failed: int = 0
    kinks: int = 0
    worst: Element | None = None
    skipped: str = ""

    @property
    def passed(self) -> bool:
        """True if no element that was checked disagrees."""
        return self.failed == 0


def check_gradients(
    plan: Differentiable,
    split: str,
    rows: Array,
    *,
    seed: int = 0,
    skip: Mapping[str, str] | None = None,
) -> Iterator[Checked]:
    """Yield one finding per parameter; the plan's parameters are moved, and left moved.

    ``skip`` gives the parameters whose gradient is not meant to be the derivative, and why.
    """
    wander(plan, seed)
    values = plan.parameters()
    loss, gradients = plan.gradients(split, rows)
    base = plan.tensors()
    floor = FLOOR * max(abs(loss), 1.0)
    most = _most([value.size for name, value in values.items() if name not in (skip or ())])
    for number, (name, value) in enumerate(values.items()):
        if skip and name in skip:
            yield Checked(name, value.shape, skipped=skip[name])
            continue
        at = _probe(plan, base, name, value, split, rows)
        chosen = _chosen(value.size, most, seed, number)
        found = [_compare(at, value, i, gradients[name].flat[i], loss, floor) for i in chosen]
        yield _summary(name, value.shape, found)
    plan.restore(base)


def wander(plan: Differentiable, seed: int) -> None:
    """Move parameters that are all zero, such as biases at the start, off their corners."""
    tensors = plan.tensors()
    for number, (name, value) in enumerate(plan.parameters().items()):
        if not value.any():
            keys = permutation(seed, Purpose.VERIFY, value.size, number, 1)
            spread = (keys + 0.5) / max(value.size, 1) * 2.0 - 1.0
            tensors[f"param/{name}"] = (START * spread).reshape(value.shape)
    plan.restore(tensors)


def _probe(
    plan: Differentiable,
    base: Mapping[str, Array],
    name: str,
    value: Array,
    split: str,
    rows: Array,
) -> Callable[[int, float], float]:
    """Return ``loss(flat index, new value)`` of one parameter, all others at their base."""
    moved = np.array(value, dtype=np.float64)

    def loss(index: int, new: float) -> float:
        old = moved.flat[index]
        moved.flat[index] = new
        plan.restore({**base, f"param/{name}": moved})
        moved.flat[index] = old
        return plan.loss(split, rows)

    return loss


def _most(sizes: Sequence[int]) -> int:
    """Return how many elements of a parameter are checked at most, so that all together fit."""
    fitting = (n for n in range(EVERY, LEAST, -1) if sum(min(size, n) for size in sizes) <= ALL)
    return next(fitting, LEAST)


def _chosen(size: int, most: int, seed: int, number: int) -> Array:
    """Return the flat indices to check, ascending: all, or a sample fixed by seed and parameter."""
    if size <= most:
        return np.arange(size)
    return np.sort(permutation(seed, Purpose.VERIFY, size, number)[:most])


def _compare(
    at: Callable[[int, float], float],
    value: Array,
    index: int,
    analytic: float,
    loss: float,
    floor: float,
) -> Element:
    w = float(value.flat[index])
    h = STEP * max(1.0, abs(w))
    numeric = (at(index, w + h) - at(index, w - h)) / (2.0 * h)
    error = _error(analytic, numeric, floor)
    kink = False
    if not error <= TOLERANCE:
        numeric, error = _finer(at, index, w, h, analytic, numeric, loss, floor)
        kink = error <= TOLERANCE
    place = tuple(int(i) for i in np.unravel_index(index, value.shape))
    return Element(place, float(analytic), float(numeric), error, error <= TOLERANCE, kink)


def _finer(
    at: Callable[[int, float], float],
    index: int,
    w: float,
    h: float,
    analytic: float,
    numeric: float,
    loss: float,
    floor: float,
) -> tuple[float, float]:
    """Return slope and error of an element that disagrees at ``h``: where the corner is no more
    within the step, or on the corner, or else at ``h``."""
    for finer in FINER:
        step, blur = h / finer, floor * finer  # a smaller step holds fewer digits
        right, left = (at(index, w + step) - loss) / step, (loss - at(index, w - step)) / step
        middle = (right + left) / 2.0
        error = _error(analytic, middle, blur)
        if error <= TOLERANCE and abs(analytic - middle) * NEARER <= abs(analytic - numeric):
            return middle, error
    if _error(right, left, blur) > TOLERANCE:
        # On the corner any slope between the two is right.
        nearest = min(max(analytic, min(left, right)), max(left, right))
        return nearest, _error(analytic, nearest, max(blur, abs(left), abs(right)))
    return numeric, _error(analytic, numeric, floor)


def _error(a: float, b: float, floor: float) -> float:
    return float(abs(a - b) / max(abs(a), abs(b), floor))


def _summary(name: str, shape: tuple[int, ...], found: list[Element]) -> Checked:
    worst = max(found, key=lambda e: (not e.passed, np.inf if np.isnan(e.error) else e.error))
    return Checked(
        parameter=name,
        shape=shape,
        elements=len(found),
        failed=sum(not element.passed for element in found),
        kinks=sum(element.kink for element in found),
        worst=worst,
    )
