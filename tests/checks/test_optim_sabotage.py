"""Every check of optimizers is shown able to fail: a machine of Python floats, and faults in it."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from tests.checks.optim import CHECKS, OptimMachine
from tests.ids import short
from tests.reference import optim
from tests.vectors.case import Array, OptimCase

ADAM = OptimCase("adam", optim.adam, {})
SGD = OptimCase("sgd", optim.sgd, {"momentum": 0.9})
AHEAD = OptimCase("sgd", optim.sgd, {"momentum": 0.9, "nesterov": True})


def machine(rule) -> OptimMachine:  # type: ignore[no-untyped-def]
    def run(case: OptimCase, starts: Array, targets: Array, rates: Array, dtype: str) -> Array:
        count = len(starts)
        paths = [
            rule(case.fields, float(w), lambda p, t=t: 2 * (p - t) / count, rates.tolist())
            for w, t in zip(starts, targets.tolist(), strict=True)
        ]
        return np.array(paths).T

    return run


def adam(correction=True, inside=False, squared=True, decay=0.0):  # type: ignore[no-untyped-def]
    """Adam with faults to choose from."""

    def rule(fields, start, gradient, rates):  # type: ignore[no-untyped-def]
        p, m, v, path = start, 0.0, 0.0, []
        for t, rate in enumerate(rates, start=1):
            g = gradient(p)
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * (g * g if squared else abs(g))
            a, b = (m / (1 - 0.9**t), v / (1 - 0.999**t)) if correction else (m, v)
            below = sqrt(b + 1e-8) if inside else sqrt(b) + 1e-8
            p -= rate * (a / below + decay * p)
            path.append(p)
        return path

    return rule


FAULTS = [
    ("first_step", "no correction of the means", ADAM, adam(correction=False)),
    ("ten_steps", "epsilon under the root", ADAM, adam(inside=True)),
    ("ten_steps", "magnitudes for squares", ADAM, adam(squared=False)),
    ("ten_steps", "no look-ahead", AHEAD, lambda f, *a: optim.sgd({"momentum": 0.9}, *a)),
    ("changing_rate", "the rate outside the velocity", SGD, optim.sgd_torch),
    ("zero_gradient", "weights decay", ADAM, adam(decay=1e-9)),
]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", [ADAM, SGD, AHEAD], ids=lambda case: case.id)
def test_right_machine_passes(case: OptimCase, check: str) -> None:
    CHECKS[check](machine(case.reference), case)


@pytest.mark.parametrize(("check", "fault", "case", "rule"), FAULTS, ids=lambda p: short(p, 40))
def test_planted_fault_fails(check: str, fault: str, case: OptimCase, rule) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AssertionError):
        CHECKS[check](machine(rule), case)


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check for check, *_ in FAULTS} == set(CHECKS)
