"""The training loop: a generator of events that prints nothing and writes nothing.

Whoever consumes it may do anything between two events; at a CheckpointDue the state holds all that
resume needs. What decides (stopping, best, checkpoints) is asked, never known by name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from nnctl.train import events
from nnctl.train.evaluation import Interrupted, Metrics, evaluate, finite, flat, unbounded
from nnctl.train.job import Array, Job, StepLog
from nnctl.train.pace import Pace
from nnctl.train.state import TrainState
from nnctl.train.stopping import Rule


def train(
    job: Job, state: TrainState, clock: Callable[[], float] = time.monotonic
) -> Iterator[events.Event]:
    """Train until a rule ends it; the last event is Finished, Stopped or Diverged.

    The plan must hold the state's tensors. ``state`` is changed in place.
    """
    return _Loop(job, state, clock).run()


class _Call(NamedTuple):
    """One native call: what it was asked, what it said, how long it took."""

    first_step: int
    rates: Array
    log: StepLog
    seconds: float


class _Loop:
    def __init__(self, job: Job, state: TrainState, clock: Callable[[], float]) -> None:
        self.job = job
        self.state = state
        self.counters = state.counters
        self.clock = clock
        self.pace = Pace()
        last = self.counters.step - 1
        self.rate = float(job.rates(last, 1)[0]) if last >= 0 else float("nan")
        self.epoch_began = clock()
        self.order: tuple[int, Array] | None = None
        # Metrics of exactly this state, if it has been evaluated.
        self.measured: Metrics = {}
        job.cadence.written(self.counters, clock())

    def run(self) -> Iterator[events.Event]:
        job, counters = self.job, self.counters
        yield events.RunStarted(
            counters.epoch, counters.step, job.epochs, job.steps_per_epoch, job.samples
        )
        while True:
            if rule := self.interruption():
                yield from self.stop(rule)
                return
            if counters.row >= job.samples:
                try:
                    yield from self.end_epoch()
                except Interrupted:
                    continue
            elif rule := _first_met(job.rules, self.state):
                try:
                    yield from self.finish(rule)
                except Interrupted:
                    continue
                return
            else:
                call = self.steps()
                yield from self.report(call)
                if call.log.nonfinite:
                    yield from self.diverge()
                    return
                yield from self.checkpoint_if_due(epoch_ended=False)

    def interruption(self) -> Rule | None:
        return _first_met(self.job.interruptions, self.state)

    def steps(self) -> _Call:
        """Do as many steps as one call should, up to the next place where something happens."""
        job, counters = self.job, self.counters
        left = -(-(job.samples - counters.row) // job.batch_size)
        bounds = [rule.steps_left(counters) for rule in (*job.rules, *job.interruptions)]
        bounds.append(job.cadence.steps_left(counters))
        count = min([self.pace.steps, left, *(b for b in bounds if b is not None)])
        rates = job.rates(counters.step, count)
        began = self.clock()
        log = job.plan.train(self.epoch_order(), counters.row, counters.step, rates)
        call = _Call(counters.step, rates, log, self.clock() - began)
        self.pace.update(log.done, call.seconds)
        return call

    def epoch_order(self) -> Array:
        """Return the order of the epoch under way, made once."""
        epoch = self.counters.epoch
        if self.order is None or self.order[0] != epoch:
            self.order = (epoch, self.job.order(epoch))
        return self.order[1]

    def report(self, call: _Call) -> Iterator[events.Event]:
        """Count the steps of a call and tell of them."""
        job, counters, log = self.job, self.counters, call.log
        running = counters.advance(log.losses, log.gradient_norms, job.batch_size, job.samples)
        if log.done:
            self.measured = {}
            self.rate = float(call.rates[log.done - 1])
        for i in _logged(call.first_step, log.done, job.log_every):
            yield events.StepDone(
                counters.epoch,
                call.first_step + i + 1,
                float(log.losses[i]),
                float(running[i]),
                float(log.gradient_norms[i]) if job.gradient_norms else None,
                float(call.rates[i]),
            )
        yield events.Progress(*self.here, counters.running_loss, self.rate, log.done, call.seconds)

    def end_epoch(self) -> Iterator[events.Event]:
        """Evaluate, let everybody take note, turn the page. Raises Interrupted before all that."""
        job, counters = self.job, self.counters
        every = job.evaluate_every
        metrics: Metrics = {}
        if every and (counters.epoch + 1) % every == 0:
            metrics = evaluate(job, job.evaluated, self.interruption_asked)
        seen = flat(metrics)
        for rule in job.rules:
            rule.observe(counters, seen)
        running_loss, gradient_norm = counters.running_loss, counters.gradient_norm
        counters.next_epoch()
        improved = self.keep_best(metrics)
        self.measured = metrics
        now = self.clock()
        seconds, self.epoch_began = now - self.epoch_began, now
        yield events.EpochDone(
            counters.epoch,
            counters.step,
            running_loss,
            gradient_norm if job.gradient_norms else None,
            self.rate,
            seconds,
            metrics,
            job.plan.penalty() if metrics else None,
            improved,
        )
        yield from self.checkpoint_if_due(epoch_ended=True)

    def keep_best(self, metrics: Metrics) -> bool:
        """Keep the whole state if it is the best so far; returns whether it is."""
        monitor, state = self.job.monitor, self.state
        seen = flat(metrics)
        if monitor is None or not monitor.improves(state, seen):
            return False
        state.tensors = self.job.plan.tensors()
        monitor.keep(state, seen[monitor.metric], finite(metrics))
        return True

    def checkpoint_if_due(self, *, epoch_ended: bool) -> Iterator[events.Event]:
        reason = self.job.cadence.due(self.counters, self.clock(), epoch_ended=epoch_ended)
        if reason:
            yield self.checkpoint(reason)

    def checkpoint(self, reason: str) -> events.CheckpointDue:
        """Put the network into the state, for the one who writes it."""
        self.state.tensors = self.job.plan.tensors()
        self.job.cadence.written(self.counters, self.clock())
        return events.CheckpointDue(*self.here, reason, finite(self.measured))

    def finish(self, rule: Rule) -> Iterator[events.Event]:
        """Come to the end: the best network if so wished, its metrics, the last checkpoint."""
        job, state = self.job, self.state
        best = state.best
        state.tensors = job.plan.tensors()
        if job.restore_best and best is not None and best.counters.step != self.counters.step:
            job.plan.restore(best.tensors)
            state.restored = True
            self.measured = {}
        try:
            # A final look, even off schedule; no rule and no monitor learns of it, so that going
            # on from here is the same as never having stopped.
            left = [split for split in job.splits if split not in self.measured]
            metrics = {**self.measured, **evaluate(job, left, self.interruption_asked)}
        except Interrupted:
            job.plan.restore(state.tensors)
            state.restored = False
            raise
        job.cadence.written(self.counters, self.clock())
        bad = unbounded(metrics)
        reason = "diverged" if bad else rule.reason
        yield events.CheckpointDue(*self.here, reason, finite(metrics))
        if bad:
            yield events.Diverged(*self.here, f"{bad}.loss", bad, metrics)
        else:
            yield events.Finished(*self.here, reason, metrics, state.restored)

    def stop(self, rule: Rule) -> Iterator[events.Event]:
        """Leave off for now, with everything kept."""
        reason = rule.reason
        yield self.checkpoint(reason)
        yield events.Stopped(*self.here, reason)

    def diverge(self) -> Iterator[events.Event]:
        """Name the first tensor that is not finite; the plan is already back at the last good."""
        counters, order = self.counters, self.epoch_order()
        rate = float(self.job.rates(counters.step, 1)[0])
        tensor = self.job.plan.locate_nonfinite(order, counters.row, counters.step, rate)
        yield self.checkpoint("diverged")
        yield events.Diverged(*self.here, tensor)

    def interruption_asked(self) -> bool:
        return self.interruption() is not None

    @property
    def here(self) -> tuple[int, int]:
        return self.counters.epoch, self.counters.step


def _first_met(rules: Sequence[Rule], state: TrainState) -> Rule | None:
    return next((rule for rule in rules if rule.met(state.counters)), None)


def _logged(first_step: int, done: int, every: int) -> range:
    """Return which steps of a call are logged: those that end a multiple of ``every``."""
    return range(-(first_step + 1) % every, done, every) if every else range(0)
