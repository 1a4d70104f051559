"""What every optimizer must do, on quadratic networks whose gradient is known by hand.

A layer of K units without a bias on the input 1 gives y = w; with mse against t, the gradient of
w_k is 2 (w_k - t_k) / K.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.checks.ops import near
from tests.vectors.case import Array, OptimCase

# (case, starts (K,), targets (K,), learning rates (steps,), dtype) -> values (steps, K)
OptimMachine = Callable[[OptimCase, Array, Array, Array, str], Array]
STEPS = 10


def wanted(case: OptimCase, starts: Array, targets: Array, rates: Array) -> Array:
    count = len(starts)
    paths = [
        case.reference(case.fields, float(w), lambda p, t=t: 2 * (p - t) / count, rates.tolist())
        for w, t in zip(starts, targets.tolist(), strict=True)
    ]
    return np.array(paths).T


def draw(count: int = 7) -> tuple[Array, Array]:
    """Starts and targets; the gradient of the last is zero, that of the first tiny."""
    stream = np.random.default_rng(4)
    starts, targets = stream.normal(size=count), stream.normal(size=count)
    targets[-1] = starts[-1]
    targets[0] = starts[0] + 1e-7
    return starts, targets


def _follows(
    machine: OptimMachine, case: OptimCase, rates: Array, dtype: str, bound: float
) -> None:
    starts, targets = draw()
    if dtype == "float32":
        starts, targets = (a.astype(np.float32).astype(np.float64) for a in (starts, targets))
        targets[0] += 0.5  # a tiny gradient is rounding only
    path = machine(case, starts, targets, rates, dtype)
    right = wanted(case, starts, targets, rates)
    for step in range(len(rates)):
        near(path[step], right[step], bound, f"after step {step + 1}, {dtype}")


def first_step(machine: OptimMachine, case: OptimCase) -> None:
    """The first step, which starts from empty slots."""
    _follows(machine, case, np.array([0.3]), "float64", 1e-12)


def ten_steps(machine: OptimMachine, case: OptimCase) -> None:
    """Ten steps at a constant rate."""
    _follows(machine, case, np.full(STEPS, 0.1), "float64", 1e-12)
    _follows(machine, case, np.full(STEPS, 0.1), "float32", 1e-5)


def changing_rate(machine: OptimMachine, case: OptimCase) -> None:
    """Ten steps, each at a rate of its own."""
    rates = np.random.default_rng(5).uniform(0.01, 0.3, STEPS)
    _follows(machine, case, rates, "float64", 1e-12)


def zero_gradient(machine: OptimMachine, case: OptimCase) -> None:
    """What has no gradient stays where it is, to the bit."""
    starts, targets = draw()
    for dtype in ("float64", "float32"):
        if dtype == "float32":
            starts, targets = starts.astype(np.float32).astype(float), targets.astype(np.float32)
            targets = targets.astype(float)
        path = machine(case, starts, targets, np.full(STEPS, 0.1), dtype)
        assert (path[:, -1] == starts[-1]).all(), f"{path[:, -1]} started at {starts[-1]}"


CHECKS: dict[str, Callable[[OptimMachine, OptimCase], None]] = {
    check.__name__: check for check in (first_step, ten_steps, changing_rate, zero_gradient)
}
