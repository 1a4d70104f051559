"""Running a plan call by call: to find the first number that is not finite, and to show a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nnctl.engine import control
from nnctl.engine.tape import run
from nnctl.plan.buffers import Buffer
from nnctl.plan.steps import Step
from nnctl.plan.tape import Tape

if TYPE_CHECKING:
    from nnctl.plan.plan import Plan


def _calls(plan: Plan, tape: Tape, order: np.ndarray, start: int, first_step: int) -> Iterator[Step]:
    """Run one step of ``tape``; yield each call once it has run."""
    live = min(plan.batch, len(order) - start)
    order = np.ascontiguousarray(order, dtype=np.int64)
    steps = np.array([[start, live]], dtype=np.int64)
    losses, norms = np.zeros(1), np.zeros(1)
    for word, value in (
        (control.ORDER, order.ctypes.data),
        (control.STEPS, steps.ctypes.data),
        (control.LOSSES, losses.ctypes.data),
        (control.NORMS, norms.ctypes.data),
        (control.INDEX, -1),
        (control.STEP, first_step - 1),
        (control.FAILED, 0),
        (control.SEED, plan.seed),
        (control.SCRATCH, tape.scratch),
        (control.SCRATCH_STRIDE, tape.scratch_stride),
    ):
        plan.memory.set_word(word, value)
    for step, words in tape.single_steps():
        run(plan.memory.address, words.ctypes.data, 1, 0, 1)
        yield step


def _values(plan: Plan, tape: Tape, buffer: Buffer, live: int) -> np.ndarray:
    """The part of a buffer that holds numbers of the batch."""
    if buffer.fixed:
        offset = buffer.address - plan.memory.address
        return plan.memory.view(offset, buffer.elements)
    array = tape.array(buffer)
    return array[:live] if buffer.kind in ("rows", "column") else array


def first_nonfinite(
    plan: Plan, order: np.ndarray, start: int, first_step: int, rate: float
) -> str:
    """Return the name of the first array in which a step leaves NaN or Inf."""
    plan._use("train")
    tape = plan.tapes.kept_train()
    table = plan.tapes.rate_table(plan.optimizer, first_step, np.array([rate]))
    plan.memory.set_word(control.RATES, table.ctypes.data)
    plan.memory.set_word(control.RATES_WIDTH, table.shape[1])
    live = min(plan.batch, len(order) - start)
    for step in _calls(plan, tape, order, start, first_step):
        for buffer in sorted(step.writes, key=lambda b: b.name):
            if buffer.kind == "vector" and not buffer.fixed:
                continue  # temporaries are not laid out as people know them
            if not np.isfinite(_values(plan, tape, buffer, live)).all():
                return buffer.name if buffer.name not in ("p", "g") else "the update"
    return "the loss"


def trace(plan: Plan, split: str, row: int) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Return what a step on one sample computes: by node x, y, dy, and parameters' gradients."""
    plan._use(split)
    tape = plan.tapes.probe(keep=True)
    order = np.array([row])
    plan_batch = list(_calls(plan, tape, order, 0, 0))
    del plan_batch
    lowering = tape.lowering
    found = []
    for node in plan.graph.nodes:
        arrays: dict[str, np.ndarray] = {}
        if node.inputs:
            arrays["x"] = tape.array(lowering.y[node.inputs[0]])[0].copy()
        arrays["y"] = tape.array(lowering.y[node.name])[0].copy()
        sources = lowering._sources(node) if node.name in lowering.y else []
        if sources:
            arrays["dy"] = sum(tape.array(b)[0] for b in sources) + 0.0
        for name, use in node.params.items():
            zone = plan.memory.zone("p"), plan.memory.zone("g")
            layout = plan.zone.layouts[use.parameter]
            arrays[name] = layout.unpack(plan.zone.part(use.parameter, zone[0]))
            arrays[f"d{name}"] = layout.unpack(plan.zone.part(use.parameter, zone[1]))
        found.append((node.name, arrays))
    return found
