"""The tape: a plan packed into integers, and the one function that runs it on every thread.

    steps of a call -> phases, one after another -> groups of tasks -> ops of a group, in order

A task runs all ops of its group on its shard, so the shard stays in cache. Tasks are taken from one
atomic word, which balances the load: by every second thread from the first task on, by the others
from the last one back, so that a task meets most often the core whose cache has its weights and its
shard from the phase before. Which thread runs a task can change nothing, because every task writes
what it owns. A phase ends with its last task, not when all threads have arrived: one
that the system has put aside between two tasks is not waited for, and joins the phase that it
finds. The turn from phase to phase costs 0.2 us, an op's call 20 ns.
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

# a ticket: a phase, above the tasks taken from the end, above those taken from the front
PHASE, BACK = 36, 18
TASK = (1 << BACK) - 1
TICKET, DONE, OPENED, FAILED = control.TICKET, control.DONE, control.OPENED, control.FAILED


@dataclass(frozen=True)
class Group:
    """Ops that run one after another on each of ``tasks`` tasks: (address, argument row) each."""

    tasks: int
    ops: tuple[tuple[int, int], ...]


def pack(phases: list[list[Group]]) -> np.ndarray:
    """Return int64 words: per phase (tasks, groups), per group (tasks, ops), per op a pair."""
    words = [len(phases)]
    for groups in phases:
        tasks = sum(group.tasks for group in groups)
        if tasks > TASK // 2:
            raise ValueError(f"a phase of {tasks} tasks: {TASK // 2} at most")
        words += [tasks, len(groups)]
        for group in groups:
            words += [group.tasks, len(group.ops)]
            words += [word for pair in group.ops for word in pair]
    return np.array(words, dtype=np.int64)


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
def _next_phase(at):
    groups = load_int(at + 8)
    at += 16
    for _ in range(groups):
        at += 16 + 16 * load_int(at + 8)
    return at


@inline
def _run_alone(memory, tape, steps, slot):
    for _ in range(steps):
        at = tape + 8
        for _ in range(load_int(tape)):
            for task in range(load_int(at)):
                _run_task(memory, at + 16, task, slot)
            at = _next_phase(at)
        if load_acquire(memory + FAILED) != 0:
            break


@inline
def _open_next(memory, phase, phases, last):
    """Begin the phase after ``phase``, whose tasks are done; none after a step that failed."""
    phase += 1
    if phase % phases == 0 and load_acquire(memory + FAILED) != 0:
        phase = last
    store_release(memory + DONE, 0)
    store_release(memory + TICKET, phase << PHASE)
    store_release(memory + OPENED, phase)


@inline
def rest(turns, most=SPINS):
    """Wait awake for a moment; after ``most`` turns others may have this core meanwhile."""
    relax()
    if turns >= most:
        give_way()
    return turns + 1


@inline
def _await_after(memory, phase):
    turns = 0
    while load_acquire(memory + OPENED) <= phase:
        turns = rest(turns)


@inline
def _run_shared(memory, tape, steps, slot):
    phases = load_int(tape)
    last = phases * steps
    backward = slot % 2
    one = 1 << (BACK * backward)
    at, here, done = tape + 8, 0, 0
    ticket = fetch_add(memory + TICKET, one)
    while ticket >> PHASE < last:
        phase, front, back = ticket >> PHASE, ticket & TASK, (ticket >> BACK) & TASK
        while here < phase:
            here += 1
            at = tape + 8 if here % phases == 0 else _next_phase(at)
        tasks = load_int(at)
        if front + back < tasks:
            _run_task(memory, at + 16, tasks - 1 - back if backward else front, slot)
            done += 1
        else:
            if done > 0 and fetch_add(memory + DONE, done) + done == tasks:
                _open_next(memory, phase, phases, last)
            done = 0
            _await_after(memory, phase)
        ticket = fetch_add(memory + TICKET, one)


@entry(types.void(WORD, WORD, WORD, WORD, WORD))
def run(memory, tape, steps, slot, threads):
    """Run ``steps`` steps as thread ``slot`` of ``threads``; stops after a step that failed."""
    mode = swap_float_mode(FLUSH_DENORMALS)
    if threads == 1:
        _run_alone(memory, tape, steps, slot)
    else:
        _run_shared(memory, tape, steps, slot)
    swap_float_mode(mode)
