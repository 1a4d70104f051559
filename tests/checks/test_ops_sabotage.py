"""Every check of ops is shown able to fail: a plain NumPy op passes all, each planted fault one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.checks.ops import CHECKS
from tests.checks.setting import Data, Machine, Result, Setting
from tests.ids import short
from tests.reference import ops
from tests.vectors.case import Context, OpCase

DENSE = OpCase(
    "dense", ((5,),), (5,), lambda x, p, c: ops.dense(x[0], p["w"], p["b"]),
    params={"w": (5, 5), "b": (5,)}, single=1e-5,
)  # fmt: skip
SOFTMAX = OpCase("softmax", ((7,),), (7,), lambda x, p, c: ops.softmax(x[0]))
RELU = OpCase("relu", ((7,),), (7,), lambda x, p, c: ops.relu(x[0]), kinks=(0.0,))
DROPOUT = OpCase(
    "dropout", ((9,),), (9,), lambda x, p, c: ops.dropout(x[0], 0.5, c), {"rate": 0.5},
    differs=True, by_place=True,
)  # fmt: skip
CASES = (DENSE, SOFTMAX, RELU, DROPOUT)


def plain(case: OpCase, data: Data, setting: Setting) -> Result:
    """A right machine, written out for the four ops."""
    kind = setting.dtype
    x, dy = data.x[0].astype(kind), data.dy[0].astype(kind)
    context = Context(training=setting.training)
    with np.errstate(all="ignore"):
        y = _single(case, data, x, context).astype(kind)
        if not setting.training:
            return Result(y)
        if case is not DENSE:
            return Result(y, [_dx(case, x, y, dy).astype(kind)])
    w = data.params["w"].astype(kind)
    held = setting.held or 0.0
    summed = sum(np.outer(a, b) for a, b in zip(x, dy, strict=True))
    dx = np.stack([w @ row for row in dy])
    return Result(y, [dx], {"w": summed + kind_of(held, kind), "b": dy.sum(0) + held})


def kind_of(value: float, kind: str) -> np.floating:
    return np.dtype(kind).type(value)


def _single(case: OpCase, data: Data, x: np.ndarray, context: Context) -> np.ndarray:
    if case is DENSE:
        w, b = (data.params[n].astype(x.dtype) for n in ("w", "b"))
        return np.stack([row @ w for row in x]) + b
    return case.forward([x], data.params, context)


def _dx(case: OpCase, x: np.ndarray, y: np.ndarray, dy: np.ndarray) -> np.ndarray:
    if case is SOFTMAX:
        return np.stack([a * (d - (d * a).sum()) for a, d in zip(y, dy, strict=True)])
    if case is RELU:
        return np.where(y > 0, dy, np.where(np.isnan(dy), dy, 0))
    return np.where(ops.dropout(np.ones_like(x), 0.5, Context()) > 0, dy / 0.5, 0.0)


def changing(**change: Callable[[np.ndarray, Data, Setting], np.ndarray]) -> Machine:
    """The right machine with some of its results replaced: y, dx, w, b."""

    def machine(case: OpCase, data: Data, setting: Setting) -> Result:
        one = plain(case, data, setting)
        y = change["y"](one.y, data, setting) if "y" in change else one.y
        dx = [change["dx"](a, data, setting) if "dx" in change else a for a in one.dx]
        dw = {n: change[n](a, data, setting) if n in change else a for n, a in one.dw.items()}
        return Result(y, dx, dw)

    return machine


def _last_unwritten(y, data, setting):
    y = y.copy()
    y.flat[-1] = np.nan
    return y


def _jitter(condition):
    """A change of one bit where the condition on the setting holds."""
    return lambda a, data, setting: np.nextafter(a, a + 1) if condition(setting) else a


def _eats_nan(a, data, setting):
    return np.nan_to_num(a, nan=0.0, posinf=1.0, neginf=0.0)


def _spreads(a, data, setting):
    return np.full_like(a, np.nan) if np.isnan(a).any() else a


def _mask_ignored(case: OpCase, data: Data, setting: Setting) -> Result:
    one = plain(case, data, setting)
    return replace(one, dx=[d / 0.5 for d in (data.dy[0].astype(setting.dtype),)])


def _writes_input(case: OpCase, data: Data, setting: Setting) -> Result:
    return replace(plain(case, data, setting), changed=("x0",))


def _mixes_samples(a, data, setting):
    return a + a.mean(axis=0) if len(a) > 1 else a


FAULTS: list[tuple[str, str, OpCase, Machine]] = [
    ("forward", "wrong in the tenth digit", DENSE, changing(y=lambda a, d, s: a * (1 + 1e-9))),
    ("forward", "an element is not written", DENSE, changing(y=_last_unwritten)),
    ("forward", "single precision only", RELU, changing(
        y=lambda a, d, s: a.astype("float32").astype(s.dtype) * kind_of(1 / 3, s.dtype) * 3)),
    ("forward", "half precision in single", SOFTMAX, changing(
        y=lambda a, d, s: a.astype("float16").astype(s.dtype) if s.dtype == "float32" else a)),
    ("forward", "no scale at training", DROPOUT, changing(
        y=lambda a, d, s: a * 0.5 if s.training else a)),
    ("gradient", "a factor of 3, which ones as upstream hide", SOFTMAX,
     changing(dx=lambda a, d, s: 3 * a)),
    ("gradient", "the upstream gradient is ignored", RELU,
     changing(dx=lambda a, d, s: np.sign(np.abs(a)))),
    ("gradient", "w is not turned round", DENSE,
     changing(dx=lambda a, d, s: d.dy[0] @ d.params["w"])),
    ("gradient", "dw is turned round", DENSE, changing(w=lambda a, d, s: a.T.copy())),
    ("gradient", "one element of dw is wrong", DENSE,
     changing(w=lambda a, d, s: a + np.eye(5)[:, [4]] * np.eye(5)[0] * 1e-3)),
    ("gradient", "db is a mean", DENSE, changing(b=lambda a, d, s: a / len(d.x[0]))),
    ("gradient", "the mask is ignored", DROPOUT, _mask_ignored),
    ("gradient_in_single", "half precision in single", DENSE, changing(
        dx=lambda a, d, s: a.astype("float16").astype(s.dtype) if s.dtype == "float32" else a)),
    ("contract", "= for +=", DENSE, changing(w=lambda a, d, s: a - (s.held or 0.0))),
    ("contract", "dx is added to what was there", DENSE, changing(
        dx=lambda a, d, s: a + (s.held or 0.0))),
    ("reads_only", "an input is changed", DENSE, _writes_input),
    ("memory", "reads what lies behind a row", DENSE, changing(y=_jitter(lambda s: s.fill == 0))),
    ("memory", "two live arrays share memory", SOFTMAX,
     changing(dx=_jitter(lambda s: s.memory == "shared" and not s.padded))),
    ("memory", "wrong in place", RELU, changing(dx=_jitter(lambda s: s.memory == "in_place"))),
    ("memory", "the padding of the batch counts", DENSE, changing(
        b=lambda a, d, s: a * (1 + s.padded))),
    ("threads", "a sum by threads", DENSE, changing(w=_jitter(lambda s: s.threads == 3))),
    ("not_finite", "NaN is eaten", RELU, changing(y=_eats_nan)),
    ("not_finite", "NaN spreads", RELU, changing(y=_spreads)),
    ("not_finite_back", "NaN is eaten on the way back", SOFTMAX, changing(dx=_eats_nan)),
    ("not_finite_back", "NaN spreads to other samples", RELU, changing(dx=_spreads)),
    ("not_finite_back", "NaN does not reach dw", DENSE, changing(w=_eats_nan)),
    ("modes", "evaluation differs", RELU, changing(y=_jitter(lambda s: not s.training))),
    ("modes", "dropout is off in training", DROPOUT, changing(y=lambda a, d, s: d.x[0])),
    ("one_by_one", "mixes samples", SOFTMAX, changing(y=_mixes_samples)),
    ("one_by_one", "dw is a mean", DENSE, changing(w=lambda a, d, s: a / len(d.x[0]))),
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.tag)
def test_right_machine_passes(case: OpCase, check: str) -> None:
    CHECKS[check](plain, case)


@pytest.mark.parametrize(("check", "fault", "case", "machine"), FAULTS, ids=lambda p: short(p, 48))
def test_planted_fault_fails(check: str, fault: str, case: OpCase, machine: Machine) -> None:
    with pytest.raises(AssertionError):
        CHECKS[check](machine, case)


def test_every_check_has_a_fault_that_it_finds() -> None:
    assert {check for check, *_ in FAULTS} == set(CHECKS)
