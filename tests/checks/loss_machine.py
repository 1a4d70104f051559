"""Runs one loss in the engine, on chosen outputs of a network and targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnctl.graph.graph import Graph, LossNode, Node
from nnctl.plan import compile_plan
from tests.checks import driver
from tests.vectors.case import Array, LossCase


@dataclass(frozen=True)
class LossSetting:
    """``padded``: room for more samples than there are; ``weight``: the loss's in the total."""

    dtype: str = "float64"
    padded: int = 0
    weight: float = 1.0
    threads: int = 1
    fill: int = 255
    memory: str = "kept"

    def but(self, **changes: Any) -> LossSetting:
        return replace(self, **changes)


@dataclass(frozen=True)
class LossResult:
    """``losses`` of the samples, unweighted; ``total``, and its gradient ``dx``, weighted."""

    losses: Array
    total: float
    dx: Array


LossMachine = Callable[[LossCase, Array, Array, LossSetting], LossResult]


class _Bench:
    def __init__(self, case: LossCase, capacity: int, setting: LossSetting, is_label: bool) -> None:
        shape = (case.width,)
        inputs = {"x": shape, "dx": shape, "losses": (1,)}
        nodes = [Node(f"input.{n}", "input", (), s) for n, s in inputs.items()]
        nodes.append(Node("net", "linear", ("input.x",), shape))
        fields = {**case.fields, "class_weights": None}
        loss = LossNode("net", "", case.tag, fields, setting.weight)
        graph = Graph(tuple(nodes), {}, inputs, ("net", "input.dx", "input.losses"), (loss,))
        weights = None if case.class_weights is None else np.array(case.class_weights)
        self.plan = compile_plan(
            graph, batch=capacity, dtype=setting.dtype, threads=1, class_weights={"net": weights}
        )
        kind: Any = np.int64 if is_label else np.float64
        target = np.zeros(1, kind) if is_label else np.zeros((1, case.width), kind)
        self.plan.attach("none", {n: np.zeros((1, *s)) for n, s in inputs.items()}, {"": target})
        low = driver.lowering(self.plan, capacity, True, False)
        driver.gather(low, "input.x")
        driver.forward(low, low.nodes["net"])
        low.loss(graph.losses[0], backward=True)
        low.sum_losses()
        low.hand_out("output.input.dx", low.dy["loss.net", 0], case.width)
        low.hand_out_losses("losses.net", low.losses["net"])
        self.bench = driver.Bench(self.plan, low, setting.memory == "kept", setting.threads)

    def run(self, x: Array, target: Array, setting: LossSetting) -> LossResult:
        plan, live = self.plan, len(x)
        plan.attach("data", {"x": x, "dx": x, "losses": x[:, :1]}, {"": target})
        plan.use("data")
        dx = np.full((live, x.shape[1]), np.nan, setting.dtype)
        losses = np.full(live, np.nan)
        plan.memory.set_place("output.input.dx", dx)
        plan.memory.set_place("losses.net", losses)
        total = self.bench.run(live, setting.fill)
        return LossResult(losses, total, dx)


_BENCHES: dict[Any, _Bench] = {}


def engine(case: LossCase, x: Array, target: Array, setting: LossSetting) -> LossResult:
    """Run a loss in the engine."""
    capacity, is_label = len(x) + setting.padded, target.ndim == 1
    key = (id(case), capacity, setting.but(fill=0), is_label)
    if key not in _BENCHES:
        _BENCHES[key] = _Bench(case, capacity, setting, is_label)
    return _BENCHES[key].run(x, target, setting)
