"""Runs one op in the engine: the plan's own lowering, with chosen inputs and upstream gradients."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

import nnctl.plan.plan as plan_module
from nnctl.engine.arena import Arena
from nnctl.graph.autodiff import BackwardStep
from nnctl.graph.graph import Graph, Node, Parameter, ParamUse
from nnctl.plan import compile_plan
from nnctl.plan.tape import Draft, Tape
from nnctl.ops.registry import Call, find
from nnctl.ops import batch as ends
from nnctl.plan.steps import Table
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
    params = {
        f"op.{n}": Parameter(f"op.{n}", s, None, 1, 1, "op") for n, s in case.params.items()
    }
    tag = "linear" if case.tag == "split" else case.tag  # a split is made by a pass, never given
    nodes.append(Node("op", tag, reads, case.shape, dict(case.fields), owner))
    outputs = ("op", *(n.name for n in nodes if n.op == "input" and n.name not in reads))
    return Graph(tuple(nodes), params, inputs, outputs, ())


class _Bench:
    """One case lowered and packed for one setting; runs on any data."""

    def __init__(self, case: OpCase, capacity: int, setting: Setting) -> None:
        self.case, self.setting, self.capacity = case, setting, capacity
        self.plan = compile_plan(
            _graph(case), batch=capacity, dtype=setting.dtype, seed=CONTEXT.seed, threads=1
        )
        kind = np.dtype(np.float64)
        shapes = {n: s for n, s in self.plan.graph.inputs.items() if n[:2] != "dx"}
        self.plan.attach("none", {n: np.zeros((1, *s), kind) for n, s in shapes.items()})
        low = self.lowering = self._lower()
        width, item = max(n.size for n in self.plan.graph.nodes), np.dtype(setting.dtype).itemsize
        keep = setting.memory == "kept"
        draft = Draft.of(low.steps, capacity, width, item, keep)
        self.room = Arena(draft.room(setting.threads))
        self.tape = Tape(draft, self.room, setting.threads, setting.dtype)

    def _lower(self) -> Any:
        case, setting = self.case, self.setting
        in_place = setting.memory == "in_place"
        low = self.plan.tapes._lowering(self.capacity, setting.training, in_place)
        nodes = low.nodes
        for i in range(len(case.shapes)):
            low._gather(nodes[f"input.x{i}"])
        node = nodes["op"] = replace(nodes["op"], op=case.tag)
        if case.transposed:
            node = replace(node, params={**node.params, "w": ParamUse("op.w", transposed=True)})
            nodes["op"] = node
        takes_over = in_place and find(case.tag).is_elementwise
        low._forward(replace(node, fused_with="input.x0") if takes_over else node)
        low.hand_out("output.op", low.y["op"], node.size)
        if not setting.training:
            return low
        for i in range(case.consumers):
            low._gather(nodes[f"input.dy{i}"])
            low.dy["loss.op", i] = low.y[f"input.dy{i}"]
        if setting.held is not None:
            low.written |= set(self.plan.tapes.resident.gradients.values())
        low._backward(node, BackwardStep("op", (True,) * len(case.shapes), bool(case.params)))
        for i, shape in enumerate(case.shapes):
            place = low.resident.places[f"output.input.dx{i}"]
            out = Table(low.resident.words, place, prod(shape), "f", "output")
            low._add({"x": low.dy["op", i], "out": out}, {"x_width": prod(shape)},
                     Call(ends.hand_out), f"dx{i}")
        return low

    def _out(self, place: str, count: int, shape: tuple[int, ...]) -> Array:
        out = np.full((count, prod(shape)), np.nan, self.setting.dtype)
        self.plan.memory.set_place(f"output.{place}", out)
        return out

    def run(self, data: Data) -> Result:
        case, plan, setting = self.case, self.plan, self.setting
        live = len(data.x[0])
        named = {f"x{i}": a for i, a in enumerate(data.x)}
        named |= {f"dy{i}": a for i, a in enumerate(data.dy)}
        held = {n: plan.tapes.as_source(n, a) for n, a in named.items()}
        for name, array in held.items():
            plan.memory.set_place(f"input.{name}", array)
        plan.restore({f"param/op.{n}": a for n, a in data.params.items()})
        weights = plan.memory.zone("p").copy()
        self._fill_gradients()
        self.room.bytes[:] = setting.fill
        y = self._out("op", live, case.shape)
        dx = [self._out(f"input.dx{i}", live, s) for i, s in enumerate(case.shapes)]
        before = plan_module.SINGLE_STEP
        plan_module.SINGLE_STEP = -1.0
        plan.threads = setting.threads
        try:
            plan._run(self.tape, np.arange(live), np.array([0]), np.array([live]), np.zeros(1),
                      CONTEXT.step)
        finally:
            plan_module.SINGLE_STEP = before
            plan.close()
        changed = self._changed(held, live, weights)
        if not setting.training:
            return Result(y.reshape(live, *case.shape), changed=changed)
        return Result(
            y.reshape(live, *case.shape),
            [d.reshape(live, *s) for d, s in zip(dx, case.shapes, strict=True)],
            {n.removeprefix("op."): a for n, a in plan._unpack(plan.memory.zone("g")).items()},
            changed,
        )

    def _fill_gradients(self) -> None:
        zone, held = self.plan.memory.zone("g"), self.setting.held
        zone[:] = 0
        for name, layout in self.plan.zone.layouts.items():
            value = np.full(layout.shape, np.nan if held is None else held)
            layout.pack(value, self.plan.zone.part(name, zone))

    def _changed(self, held: dict[str, Array], live: int, weights: Array) -> tuple[str, ...]:
        """Names of what should be as it was: inputs, parameters, and the padding of gradients."""
        found = []
        if self.setting.memory == "kept":
            for name, array in held.items():
                if f"input.{name}" in self.lowering.y and (name[0] == "x" or self.setting.training):
                    now = self.tape.array(self.lowering.y[f"input.{name}"])[:live]
                    if not np.array_equal(now, array.astype(now.dtype), equal_nan=True):
                        found.append(name)
        plan = self.plan
        if not np.array_equal(plan.memory.zone("p"), weights, equal_nan=True):
            found.append("parameters")
        used = np.zeros_like(weights, dtype=bool)
        for name, layout in plan.zone.layouts.items():
            layout.pack(np.ones(layout.shape, dtype=bool), plan.zone.part(name, used))
        if np.any(plan.memory.zone("g")[~used] != 0):
            found.append("padding of the gradients")
        return tuple(found)


_BENCHES: dict[Any, _Bench] = {}


def engine(case: OpCase, data: Data, setting: Setting) -> Result:
    """Run a case in the engine."""
    capacity = len(data.x[0]) + setting.padded
    key = (id(case), capacity, setting.but(fill=0))
    if key not in _BENCHES:
        if len(_BENCHES) > 64:
            _BENCHES.clear()
        _BENCHES[key] = _Bench(case, capacity, setting.but(fill=0))
    bench = _BENCHES[key]
    bench.setting = setting
    return bench.run(data)
