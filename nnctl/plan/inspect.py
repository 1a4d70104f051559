"""Running a plan call by call: to find the first number that is not finite, and to show a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnctl.engine.tape import run
from nnctl.graph.graph import Node
from nnctl.plan.buffers import Buffer
from nnctl.plan.steps import Step
from nnctl.plan.tape import Tape

if TYPE_CHECKING:
    from nnctl.plan.plan import Plan


def _calls(
    plan: Plan, tape: Tape, order: np.ndarray, start: int, first_step: int
) -> Iterator[Step]:
    """Run one step of ``tape``, carried states as they are; yield each call once it has run."""
    live = min(plan.batch, len(order) - start)
    order = np.ascontiguousarray(order, dtype=np.int64)
    steps = np.array([[start, live]], dtype=np.int64)
    losses, norms = np.zeros(1), np.zeros(1)
    plan.runner.set_call(tape, order, steps, losses, norms, first_step)
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


def first_nonfinite(plan: Plan, order: np.ndarray, start: int, first_step: int, rate: float) -> str:
    """Return the name of the first array in which a step leaves NaN or Inf."""
    plan.use("train", labeled=True)
    tape = plan.tapes.kept_train()
    table = plan.tapes.rate_table(first_step, np.array([rate]))
    plan.runner.set_rates(table)
    # what the step that failed left in the gradients is not what this one finds first
    plan.memory.zone("g")[:] = 0
    live = min(plan.batch, len(order) - start)
    plan.carried.begin(start)
    for step in _calls(plan, tape, order, start, first_step):
        # tensors by name, and after them the zones that hold them all
        for buffer in sorted(step.writes, key=lambda b: ("." not in b.name, b.name)):
            if buffer.kind == "vector" and not buffer.fixed:
                continue  # temporaries are not laid out as people know them
            if buffer in tape.lowering.holed:
                continue
            if not np.isfinite(_values(plan, tape, buffer, live)).all():
                return _tensor_of(plan, buffer)
    return "the loss"


def _tensor_of(plan: Plan, buffer: Buffer) -> str:
    """The name of what is not finite: of a slot, the tensor that a checkpoint would hold."""
    prefix = plan.values.slots.get(buffer.name)
    if prefix is None:
        return buffer.name if buffer.name not in ("p", "g") else "the update"
    slot = plan.values.read(buffer.name)
    return next((f"{prefix}/{n}" for n, v in slot.items() if not np.isfinite(v).all()), prefix)


def trace(plan: Plan, split: str, row: int) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Return what a step on one sample computes: by node x, y, dy, and parameters' gradients."""
    plan.use(split, labeled=True)
    tape = plan.tapes.probe(keep=True)
    with plan.carried.from_zeros():
        for _ in _calls(plan, tape, np.array([row]), 0, 0):
            pass
    return [(node.name, _arrays(plan, tape, node)) for node in plan.graph.nodes]


def signals(
    plan: Plan, split: str, rows: np.ndarray, nodes: Sequence[Node]
) -> dict[str, tuple[list[np.ndarray], np.ndarray, np.ndarray]]:
    """Return all that nodes read, what they give and what comes back to that in a training step on
    some rows, by node, in their own shapes."""
    plan.use(split, labeled=True)
    tape, live = plan.tapes.probe(keep=True), len(rows)
    with plan.carried.from_zeros():
        for _ in _calls(plan, tape, rows, 0, 0):
            pass
    found, shapes = {}, {node.name: node.shape for node in plan.graph.nodes}
    for node in nodes:
        *x, y = (
            tape.array(tape.lowering.y[name])[:live].reshape(live, *shapes[name]).copy()
            for name in (*node.inputs, node.name)
        )
        deltas = [tape.array(buffer)[:live] for buffer in tape.lowering.sources(node)]
        found[node.name] = x, y, np.sum(deltas, axis=0).reshape(live, *node.shape)
    return found


def activations(plan: Plan, split: str, row: int) -> dict[str, np.ndarray]:
    """Return what every node gives for one sample in evaluation mode, in its own shape."""
    plan.use(split)
    tape = plan.tapes.kept_evaluation()
    plan.carried.begin_passing()
    for _ in _calls(plan, tape, np.array([row]), 0, 0):
        pass
    made = tape.lowering.y
    return {n.name: tape.array(made[n.name])[0].reshape(n.shape).copy() for n in plan.graph.nodes}


def _arrays(plan: Plan, tape: Tape, node: Node) -> dict[str, np.ndarray]:
    lowering = tape.lowering
    arrays: dict[str, np.ndarray] = {"y": tape.array(lowering.y[node.name])[0].copy()}
    if node.inputs:
        arrays["x"] = tape.array(lowering.y[node.inputs[0]])[0].copy()
    deltas = [tape.array(buffer)[0] for buffer in lowering.sources(node)]
    if deltas:
        arrays["dy"] = np.sum(deltas, axis=0)
    for name, use in node.params.items():
        for prefix, zone in (("", "p"), ("d", "g")):
            held = plan.zone.part(use.parameter, plan.memory.zone(zone))
            arrays[prefix + name] = plan.zone.layouts[use.parameter].unpack(held)
    return arrays
