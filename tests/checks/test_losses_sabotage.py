"""Every check of losses is shown able to fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.checks.loss_machine import LossMachine, LossResult, LossSetting
from tests.checks.losses import CHECKS
from tests.ids import short
from tests.vectors import collect
from tests.vectors.case import Array, LossCase

CASES = [c for c in collect("LOSSES") if c.id in (
    "mse[7:5;]", "cross_entropy[8:5;label_smoothing=0.2,weights,soft]")]  # fmt: skip
MSE = next(c for c in CASES if c.tag == "mse")
H = 1e-3


def plain(case: LossCase, x: Array, target: Array, setting: LossSetting) -> LossResult:
    """A right machine: values of the reference, slopes by differences, sums by quarters."""
    n = len(x)
    x = x.astype(setting.dtype).astype(np.float64)
    with np.errstate(all="ignore"):
        losses = case.reference(x, target)
        dx = np.zeros_like(x)
        for j in range(x.shape[1]):
            way = np.zeros(x.shape[1])
            way[j] = H

            def at(h: float, way: Array = way) -> Array:
                return case.reference(x + h * way, target)

            slope = 8 * (at(1) - at(-1)) - (at(2) - at(-2))
            dx[:, j] = slope / (12 * H) * setting.weight / n
    quarter = -(-(n + setting.padded) // 4)
    sums = [0.0] * 4
    for i, value in enumerate(losses):
        sums[i // quarter] += float(value)
    total = setting.weight * (((sums[0] + sums[1]) + (sums[2] + sums[3])) / n)
    return LossResult(losses, total, dx.astype(setting.dtype))


def changing(change: Callable[[LossResult, Array, LossSetting], LossResult]) -> LossMachine:
    return lambda case, x, target, setting: change(plain(case, x, target, setting), x, setting)


def _sum_in_order(one: LossResult, x: Array, setting: LossSetting) -> LossResult:
    total = 0.0
    for value in one.losses:
        total += float(value)
    return replace(one, total=setting.weight * total / len(x))


FAULTS: list[tuple[str, str, LossMachine]] = [
    ("values", "a half", changing(lambda r, x, s: replace(r, losses=r.losses / 2))),
    ("values", "a sum for a mean",
     changing(lambda r, x, s: replace(r, total=r.total * len(x)))),
    ("values", "the weight is ignored",
     changing(lambda r, x, s: replace(r, total=r.total / s.weight))),
    ("gradient", "a factor of 2", changing(lambda r, x, s: replace(r, dx=2 * r.dx))),
    ("gradient", "not divided by the batch",
     changing(lambda r, x, s: replace(r, dx=r.dx * len(x)))),
    ("gradient", "the weight is ignored",
     changing(lambda r, x, s: replace(r, dx=r.dx / kind(s.weight, s)))),
    ("gradient", "an element is not written",
     changing(lambda r, x, s: replace(r, dx=_with_nan(r.dx)))),
    ("partial_batch", "divided by the room",
     changing(lambda r, x, s: replace(r, dx=r.dx * len(x) / (len(x) + s.padded)))),
    ("partial_batch", "the mean runs over the room",
     changing(lambda r, x, s: replace(r, total=r.total * len(x) / (len(x) + s.padded)))),
    ("quarters", "one sum from first to last", changing(_sum_in_order)),
    ("bits", "a sum by threads",
     changing(lambda r, x, s: replace(r, total=r.total * (1 + 1e-15 * (s.threads == 3))))),
    ("bits", "reads what it did not write",
     changing(lambda r, x, s: replace(r, dx=r.dx * kind(1 + 1e-6 * (s.fill == 0), s)))),
    ("not_finite", "NaN is eaten in the loss",
     changing(lambda r, x, s: replace(r, losses=np.nan_to_num(r.losses, posinf=1, neginf=1)))),
    ("not_finite", "NaN is eaten in the total",
     changing(lambda r, x, s: replace(r, total=float(np.nan_to_num(r.total, posinf=1))))),
    ("not_finite", "NaN is eaten on the way back",
     changing(lambda r, x, s: replace(r, dx=np.nan_to_num(r.dx, posinf=1, neginf=1)))),
    ("not_finite", "NaN spreads",
     changing(lambda r, x, s: replace(r, dx=r.dx + (r.dx.sum() * 0)))),
]  # fmt: skip


def kind(value: float, setting: LossSetting) -> np.floating:
    return np.dtype(setting.dtype).type(value)


def _with_nan(a: Array) -> Array:
    a = a.copy()
    a.flat[-1] = np.nan
    return a


# slopes by differences have the bits of the whole only where the formula is as plain as mse's
RIGHT = [(c, check) for c in CASES for check in CHECKS if c is MSE or check != "quarters"]


@pytest.mark.parametrize(("case", "check"), RIGHT, ids=lambda p: getattr(p, "id", p))
def test_right_machine_passes(case: LossCase, check: str) -> None:
    CHECKS[check](plain, case)


@pytest.mark.parametrize(("check", "fault", "machine"), FAULTS, ids=lambda p: short(p, 48))
def test_planted_fault_fails(check: str, fault: str, machine: LossMachine) -> None:
    with pytest.raises(AssertionError):
        CHECKS[check](machine, MSE)


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check for check, *_ in FAULTS} == set(CHECKS)
