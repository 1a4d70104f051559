"""Runs one op in the engine: the plan's own lowering, with chosen inputs and upstream gradients."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from nnctl.graph.autodiff import BackwardStep
from nnctl.graph.graph import Graph, Node, Parameter, ParamUse, State
from nnctl.ops.registry import find
from nnctl.plan import compile_plan
from nnctl.plan.lower import Lowering
from tests.checks import driver
from tests.checks.setting import Data, Result, Setting
from tests.vectors.case import Array, Context, OpCase

CONTEXT = Context()


def _graph(case: OpCase) -> Graph:
    """The op between its inputs; what is written out is named as an output of the network."""
    inputs = {f"x{i}": s for i, s in enumerate(case.shapes)}
    inputs |= {f"dy{i}": case.shape for i in range(case.consumers)}
    inputs |= {f"dx{i}": s for i, s in enumerate(case.shapes)}  # places for results
    nodes = [Node(f"input.{n}", "input", (), s) for n, s in inputs.items()]
    reads = tuple(f"input.x{i}" for i in range(len(case.shapes)))
    owner = {n: ParamUse(f"op.{n}") for n in case.params}
    params = {f"op.{n}": Parameter(f"op.{n}", s, None, 1, 1, "op") for n, s in case.params.items()}
    tag = "linear" if case.tag == "split" else case.tag  # a split is made by a pass, never given
    states = {f"op.{n}": State(f"op.{n}", a.shape, 0.0, "op") for n, a in case.states.items()}
    kept = {n: f"op.{n}" for n in case.states}
    nodes.append(Node("op", tag, reads, case.shape, dict(case.fields), owner, kept))
    outputs = ("op", *(n.name for n in nodes if n.op == "input" and n.name not in reads))
    return Graph(tuple(nodes), params, inputs, outputs, (), states)


class _Bench:
    """One case lowered and packed for one setting; runs on any data."""

    def __init__(self, case: OpCase, capacity: int, setting: Setting) -> None:
        self.case, self.setting = case, setting
        self.plan = compile_plan(
            _graph(case), batch=capacity, dtype=setting.dtype, seed=CONTEXT.seed, threads=1
        )
        shapes = {n: s for n, s in self.plan.graph.inputs.items() if n[:2] != "dx"}
        self.plan.attach("none", {n: np.zeros((1, *s)) for n, s in shapes.items()})
        low = self._lower(capacity)
        self.bench = driver.Bench(self.plan, low, setting.memory == "kept", setting.threads)

    def _lower(self, capacity: int) -> Lowering:
        case, setting = self.case, self.setting
        in_place = setting.memory == "in_place"
        low = driver.lowering(self.plan, capacity, setting.training, in_place)
        for i in range(len(case.shapes)):
            driver.gather(low, f"input.x{i}")
        node = replace(low.nodes["op"], op=case.tag)
        if case.transposed:
            node = replace(node, params={**node.params, "w": ParamUse("op.w", transposed=True)})
        low.nodes["op"] = node
        takes_over = in_place and find(case.tag).is_elementwise
        driver.forward(low, replace(node, fused_with="input.x0") if takes_over else node)
        low.hand_out("output.op", low.y["op"], node.size)
        if setting.training:
            self._lower_backward(low, node)
        return low

    def _lower_backward(self, low: Lowering, node: Node) -> None:
        case = self.case
        for i in range(case.consumers):
            driver.gather(low, f"input.dy{i}")
            low.dy["loss.op", i] = low.y[f"input.dy{i}"]
        if self.setting.held is not None:
            low.written |= driver.gradients(self.plan)
        step = BackwardStep("op", (True,) * len(case.shapes), bool(case.params))
        driver.backward(low, node, step)
        for i, shape in enumerate(case.shapes):
            low.hand_out(f"output.input.dx{i}", low.dy["op", i], prod(shape))

    def _out(self, place: str, count: int, shape: tuple[int, ...]) -> Array:
        out = np.full((count, prod(shape)), np.nan, self.setting.dtype)
        self.plan.memory.set_place(f"output.{place}", out)
        return out

    def run(self, data: Data) -> Result:
        case, plan, setting = self.case, self.plan, self.setting
        live = len(data.x[0])
        named = {f"x{i}": a for i, a in enumerate(data.x)}
        named |= {f"dy{i}": a for i, a in enumerate(data.dy)}
        plan.attach("data", named)
        held = plan.use("data").inputs
        kept = {f"state/op.{n}": a for n, a in case.states.items()}
        plan.restore({f"param/op.{n}": a for n, a in data.params.items()} | kept)
        weights = driver.parts(plan, "p").copy()
        driver.parts(plan, "g")[:] = 0
        driver.parts(plan, "g", fill=np.nan if setting.held is None else setting.held)
        y = self._out("op", live, case.shape)
        dx = [self._out(f"input.dx{i}", live, s) for i, s in enumerate(case.shapes)]
        self.bench.run(live, setting.fill, CONTEXT.step)
        changed = tuple(self._changed(held, live, weights))
        y = y.reshape(live, *case.shape)
        if not setting.training:
            return Result(y, changed=changed)
        given = [d.reshape(live, *s) for d, s in zip(dx, case.shapes, strict=True)]
        dw = {n.removeprefix("op."): a for n, a in plan.values.read("g").items()}
        return Result(y, given, dw, changed)

    def _changed(self, held: dict[str, Array], live: int, weights: Array) -> list[str]:
        """Names of what should be as it was: inputs, parameters, and the padding of gradients."""
        found = []
        for name, array in held.items() if self.setting.memory == "kept" else ():
            if name[0] == "x" or self.setting.training:
                now = self.bench.array(f"input.{name}")[:live]
                if not np.array_equal(now, array.astype(now.dtype), equal_nan=True):
                    found.append(name)
        if not np.array_equal(driver.parts(self.plan, "p"), weights, equal_nan=True):
            found.append("parameters")
        used = np.zeros(weights.shape, dtype=bool)
        driver.fill(self.plan, used, True)
        if np.any(driver.parts(self.plan, "g")[~used] != 0):
            found.append("padding of the gradients")
        return found


_BENCHES: dict[Any, _Bench] = {}


def engine(case: OpCase, data: Data, setting: Setting) -> Result:
    """Run a case in the engine."""
    capacity = len(data.x[0]) + setting.padded
    key = (id(case), capacity, setting.but(fill=0))
    if key not in _BENCHES:
        if len(_BENCHES) > 64:
            _BENCHES.clear()
        _BENCHES[key] = _Bench(case, capacity, setting)
    bench = _BENCHES[key]
    bench.setting = setting
    return bench.run(data)
