"""The use case ``bench``: how long a training step takes on this machine, layer by layer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data import order
from nnctl.errors import DivergedError
from nnctl.run.heads import Array
from nnctl.run.prepare import Prepared, prepare
from nnctl.run.start import begun
from nnctl.run.timings import Breakdown, break_down
from nnctl.run.training import nothing
from nnctl.spec import Spec

if TYPE_CHECKING:
    from nnctl.plan.timing import Timer

CHUNK = 0.1  # seconds of a measurement, so that a call's own cost does not count
LEAST = 3  # measurements of each kind
MOST_STEPS = 20_000  # of a measurement
MOST_NUMBERS = 2**22  # of an array that is made for a measurement: row numbers, outputs
MOST_PASSES = 200  # call by call, of a measurement
UNLABELED = "inference"  # the split that is evaluated without its targets
HINT = "nnctl train tells which tensor it is in"


@dataclass(frozen=True)
class Timed:
    """What was measured: seconds, one number for each measurement.

    ``whole`` and ``alone`` are those of a step on all threads and on one, ``inference`` those of a
    sample. ``parts`` are medians, taken call by call on one thread.
    """

    batch: int
    dtype: str
    threads: int
    parameters: int
    whole: tuple[float, ...]
    alone: tuple[float, ...]
    inference: tuple[float, ...]
    parts: Breakdown


def bench(
    spec: Spec,
    threads: int | None = None,
    seconds: float = 3.0,
    tell: Callable[[str], None] = nothing,
) -> Timed:
    """Measure for about ``seconds``, at least three times each. Nothing that is trained is kept.

    Raises SpecError, DataError, DivergedError.
    """
    from nnctl.plan.timing import Timer

    prepared = prepare(spec, threads)
    try:
        plan = prepared.plan
        prepared, state = begun(prepared, tell)
        plan.restore(state.tensors)
        part = prepared.parts["train"]
        plan.attach(UNLABELED, part.inputs, lengths=part.lengths)
        tell("compiling")
        return _measured(prepared, Timer(plan, _rows(prepared)), seconds, tell)
    finally:
        prepared.plan.close()


def _measured(
    prepared: Prepared, timer: Timer, seconds: float, tell: Callable[[str], None]
) -> Timed:
    kinds: dict[str, Callable[[int], float]] = {
        "whole": timer.whole,
        "alone": timer.alone,
        "inference": _inference(prepared),
    }
    widest = max(prepared.graph.node(name).size for name in prepared.graph.outputs)
    most = {"whole": _most(timer.plan.batch), "inference": _most(timer.plan.eval_batch * widest)}
    most["alone"] = most["whole"]
    timer.alone(1)
    if timer.failed:
        raise DivergedError("the first step meets a number that is not finite", HINT)
    for kind in kinds.values():  # what is done once, at a first use, is no part of a step
        kind(1)
    sizes = {name: _size(kind, most[name]) for name, kind in kinds.items()}
    found: dict[str, list[float]] = {name: [] for name in kinds}
    calls: list[Array] = []
    began = time.monotonic()
    while len(found["whole"]) < LEAST or time.monotonic() - began < seconds:
        tell(f"measuring, {time.monotonic() - began:.0f} of {seconds:.0f} s")
        for name, kind in kinds.items():
            found[name].append(kind(sizes[name]) / sizes[name])
        calls += [timer.by_call() for _ in range(min(sizes["alone"], MOST_PASSES))]
    taken = np.maximum(np.median(np.stack(calls), axis=0) - timer.overhead(), 0.0)
    return _timed(prepared, timer, found, taken)


def _rows(prepared: Prepared) -> Array:
    """Return rows of the training part for many whole batches, in the order of its epochs."""
    count, batch = prepared.parts["train"].samples, prepared.plan.batch
    training = prepared.spec.training
    epoch = order(training.seed, 0, count, training.shuffle)
    return np.resize(epoch[: count // batch * batch], _most(batch) * batch)


def _most(numbers: int) -> int:
    """Return the most steps of a measurement, if each has so many numbers."""
    return max(1, min(MOST_STEPS, MOST_NUMBERS // numbers))


def _inference(prepared: Prepared) -> Callable[[int], float]:
    """Return what takes the time of evaluating so many batches without their targets."""
    plan, count = prepared.plan, prepared.parts["train"].samples

    def evaluated(batches: int) -> float:
        rows = np.resize(np.arange(count), batches * plan.eval_batch)
        began = time.perf_counter()
        plan.evaluate(UNLABELED, rows)
        return time.perf_counter() - began

    return evaluated


def _size(kind: Callable[[int], float], most: int) -> int:
    """Return how many steps, at most ``most``, take about as long as a measurement is to take."""
    count = 1
    while (spent := kind(count)) < CHUNK / 4 and count < most:
        count = min(most, count * 4)
    return max(1, min(most, round(count * CHUNK / spent)))


def _timed(
    prepared: Prepared, timer: Timer, found: Mapping[str, list[float]], taken: Array
) -> Timed:
    plan, graph, optimizer = prepared.plan, prepared.graph, prepared.spec.optimizer.type
    labels = [step.label for step in timer.calls]
    parts = break_down(graph, plan.graph, plan.batch, optimizer, labels, taken.tolist())
    return Timed(
        batch=plan.batch,
        dtype=plan.dtype,
        threads=timer.threads,
        parameters=graph.parameter_count,
        whole=tuple(found["whole"]),
        alone=tuple(found["alone"]),
        inference=tuple(seconds / plan.eval_batch for seconds in found["inference"]),
        parts=parts,
    )
