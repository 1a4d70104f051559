"""The tape: a plan packed into integers, and the one function that runs it on every thread.

    steps of a call -> phases, a barrier after each -> groups of tasks -> ops of a group, in order

A task runs all ops of its group on its shard, so the shard stays in cache. Tasks are taken from one
atomic counter, which balances the load; which thread runs a task can change nothing, because every
task writes what it owns. A barrier costs 0.2 us, an op's call 20 ns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import types

from nnctl.engine import control
from nnctl.engine.intrinsics import (
    call_op,
    fetch_add,
    give_way,
    load_acquire,
    load_int,
    relax,
    store_release,
    swap_float_mode,
)
from nnctl.engine.jit import entry, inline

FLUSH_DENORMALS = 0x9FC0  # FTZ and DAZ, all exceptions masked: Adam's second moment turns denormal
SPINS = 2_000
WORD = types.int64

ARRIVED, GENERATION, NEXT_TASK = control.ARRIVED, control.GENERATION, control.NEXT_TASK
INDEX, STEP, FAILED = control.INDEX, control.STEP, control.FAILED
STEPS, START, LIVE = control.STEPS, control.START, control.LIVE


@dataclass(frozen=True)
class Group:
    """Ops that run one after another on each of ``tasks`` tasks: (address, argument row) each."""

    tasks: int
    ops: tuple[tuple[int, int], ...]


def pack(phases: list[list[Group]]) -> np.ndarray:
    """Return int64 words: per phase (tasks, groups), per group (tasks, ops), per op a pair."""
    words = [len(phases)]
    for groups in phases:
        words += [sum(g.tasks for g in groups), len(groups)]
        for group in groups:
            words += [group.tasks, len(group.ops)]
            words += [word for pair in group.ops for word in pair]
    return np.array(words, dtype=np.int64)


@inline
def _barrier(memory, threads):
    """Wait for all threads; the last one resets the task counter, while nobody can take a task."""
    generation = load_acquire(memory + GENERATION)
    if fetch_add(memory + ARRIVED, 1) == threads - 1:
        store_release(memory + ARRIVED, 0)
        store_release(memory + NEXT_TASK, 0)
        store_release(memory + GENERATION, generation + 1)
        return
    spins = 0
    while load_acquire(memory + GENERATION) == generation:
        relax()
        spins += 1
        if spins > SPINS:
            give_way()


@inline
def _run_task(memory, group, task, slot):
    """Find the group that ``task`` of the phase belongs to, and run its ops."""
    tasks = load_int(group)
    while task >= tasks:
        task -= tasks
        group += 16 + 16 * load_int(group + 8)
        tasks = load_int(group)
    count = load_int(group + 8)
    pair = group + 16
    for _ in range(count):
        call_op(load_int(pair), memory, load_int(pair + 8), task, slot)
        pair += 16


@inline
def _phase_end(group, groups):
    for _ in range(groups):
        group += 16 + 16 * load_int(group + 8)
    return group


@entry(types.void(WORD, WORD, WORD, WORD, WORD))
def run(memory, tape, steps, slot, threads):
    """Run ``steps`` steps as thread ``slot`` of ``threads``; stops after a step that failed."""
    mode = swap_float_mode(FLUSH_DENORMALS)
    for _ in range(steps):
        at = tape + 8
        for _ in range(load_int(tape)):
            tasks, groups = load_int(at), load_int(at + 8)
            at += 16
            if threads == 1:
                for task in range(tasks):
                    _run_task(memory, at, task, slot)
            else:
                task = fetch_add(memory + NEXT_TASK, 1)
                while task < tasks:
                    _run_task(memory, at, task, slot)
                    task = fetch_add(memory + NEXT_TASK, 1)
                _barrier(memory, threads)
            at = _phase_end(at, groups)
        if load_acquire(memory + FAILED) != 0:
            break
    swap_float_mode(mode)
