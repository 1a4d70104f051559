"""The one place where tests reach into a plan: a tape of chosen calls, on chosen threads."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np

from nnctl.engine.arena import Arena
from nnctl.engine.threads import Pool
from nnctl.plan import Plan, runner
from nnctl.plan.lower import Lowering
from nnctl.plan.runner import Runner
from nnctl.plan.tape import Draft, Tape

GUARD = 1 << 16  # bytes behind all memory of a tape, which nothing may touch


@contextmanager
def always_threaded() -> Iterator[None]:
    """Wake all threads however short the work is."""
    names = ("PHASE", "SHORT_CALL", "WAKING")
    with patch.multiple(runner, **dict.fromkeys(names, -1.0)):
        yield


def lowering(plan: Plan, capacity: int, training: bool, in_place: bool) -> Lowering:
    """An empty tape's calls, after the start of the step."""
    return plan.tapes._lowering(capacity, training, in_place)


def forward(low: Lowering, node: Any) -> None:
    low._forward(node)


def gather(low: Lowering, name: str) -> None:
    low._gather(low.nodes[name])


def backward(low: Lowering, node: Any, step: Any) -> None:
    low._backward(node, step)


def gradients(plan: Plan) -> set[Any]:
    """The buffers of all parameters' gradients."""
    return set(plan.tapes.resident.gradients.values())


def parts(plan: Plan, zone: str, **values: Any) -> np.ndarray:
    """A zone's own memory; ``fill=v`` writes v into all parameters' parts, not their padding."""
    held = plan.memory.zone(zone)
    if "fill" in values:
        fill(plan, held, values["fill"])
    return held


def fill(plan: Plan, held: np.ndarray, value: Any) -> None:
    for name, layout in plan.zone.layouts.items():
        layout.pack(np.full(layout.shape, value, held.dtype), plan.zone.part(name, held))


@cache
def _pool(threads: int) -> Pool:
    """Threads for all runs that want so many: starting them takes longer than most runs."""
    return Pool(threads)


class Bench:
    """A lowered tape in memory of its own, run on any number of threads up to ``threads``."""

    def __init__(self, plan: Plan, low: Lowering, keep: bool, threads: int) -> None:
        self.plan, self.lowering, self.threads = plan, low, threads
        dtype = np.dtype(plan.dtype)
        width = max(node.size for node in plan.graph.nodes)
        draft = Draft.of(low.steps, low.make.capacity, width, dtype.itemsize, keep)
        self.room = Arena(draft.room(threads) + GUARD)
        self.tape = Tape(draft, self.room, plan.dtype)

    def run(self, live: int, fill: int, step: int = 0) -> float:
        """Run one step on rows 0 to ``live`` of the resident arrays; return its mean loss."""
        self.room.bytes[:] = fill
        losses = np.full(1, np.nan)
        one = Runner(self.plan.memory, self.threads, self.plan.seed)
        one._pool = _pool(self.threads) if self.threads > 1 else None
        with always_threaded() if self.threads > 1 else nullcontext():
            one.run(
                self.tape,
                np.arange(live),
                np.zeros(1),
                np.array([live]),
                losses,
                first_step=step,
            )
        assert (self.room.bytes[-GUARD:] == fill).all(), "written behind the scratch memory"
        return float(losses[0])

    def array(self, name: str) -> np.ndarray:
        """What a node gave, with the padding of the batch."""
        return self.tape.array(self.lowering.y[name])


_OP = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)


def run_in_any_order(plan: Plan, tape: Tape, live: int, seed: int) -> float:
    """Run one step with the tasks of every phase shuffled, on one thread; return its mean loss.

    What threads may do by chance is done here for sure: tasks of a phase are independent, or this
    gives other bits than their order does.
    """
    order, steps = np.arange(live), np.array([[0, live]], dtype=np.int64)
    losses, norms = np.full(1, np.nan), np.full(1, np.nan)
    plan.runner.set_call(tape, order, steps, losses, norms, 0)
    stream = np.random.default_rng(seed)
    for phase in tape.phases:
        tasks = [(g, task) for g in phase for task in range(g.split.tasks)]
        for k in stream.permutation(len(tasks)):
            group, task = tasks[k]
            for step in group.steps:
                address, row = tape._pairs[step]
                _OP(address)(plan.memory.address, row, task, 0)
    return float(losses[0])
