"""Runs an optimizer in the engine, on two quadratic networks side by side in one plan."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.graph import build
from nnctl.plan import Plan, compile_plan
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph import networks
from tests.vectors.case import Array, OptimCase


def quadratic(fields: dict[str, Any], tag: str, count: int, **options: Any) -> Plan:
    """A plan of two layers of ``count`` units on the input 1, each with a loss of its own."""
    info = DataInfo(
        {"": (1,)}, {"s": TargetInfo("number", count), "t": TargetInfo("number", count)}, 1
    )
    given = "\n".join(f"{k} = {_toml(v)}" for k, v in fields.items())
    rest = (
        f'[optimizer]\ntype = "{tag}"\n{given}\n'
        '[loss.a]\ntype = "mse"\ntarget = "s"\n[loss.b]\ntype = "mse"\ntarget = "t"\n'
    )
    layers = f'dense name="a" units={count} bias=false from="input"\n'
    layers += f'dense name="b" units={count} bias=false from="input"'
    data = '[data]\nsource = "two.npz"\n[data.targets]\ns = "s"\nt = "t"\n'
    spec = networks.spec(layers, rest, data=data)
    return compile_plan(build(spec, info), batch=1, optimizer=spec.optimizer, **options)


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def load(plan: Plan, starts: Array, targets: Array) -> None:
    """Give both networks the same starts; b's targets are those of a, the other way round."""
    plan.restore({"param/a.w": starts[None], "param/b.w": starts[None, ::-1].copy()})
    rows = {"s": targets[None], "t": targets[None, ::-1].copy()}
    plan.attach("train", {"": np.ones((1, 1))}, rows)


def engine(case: OptimCase, starts: Array, targets: Array, rates: Array, dtype: str) -> Array:
    """Return the values after each step; the second network must agree with the first."""
    plan = quadratic(dict(case.fields), case.tag, len(starts), dtype=dtype, threads=1)
    load(plan, starts, targets)
    path = []
    for step, rate in enumerate(rates):
        log = plan.train(np.zeros(1, np.int64), 0, step, np.array([rate]))
        assert log.done == 1
        values = plan.parameters()
        assert np.array_equal(values["a.w"][0], values["b.w"][0, ::-1]), "two layers disagree"
        path.append(values["a.w"][0].astype(np.float64))
    return np.array(path)
