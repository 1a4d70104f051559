"""From a prepared spec to a Job of the training loop: its rules, its monitor, what it measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from nnctl.data import bucketed, order, streams
from nnctl.errors import SpecError
from nnctl.optim.schedules import rates
from nnctl.run.assess import measure
from nnctl.run.decoding import speaks
from nnctl.run.prepare import Array, Prepared, wants_norms
from nnctl.spec import Spec
from nnctl.spec.metrics import find, split_name
from nnctl.train.job import Job
from nnctl.train.monitors import SECONDS_BETWEEN_CHECKPOINTS, BestMonitor, Cadence
from nnctl.train.stopping import (
    EarlyStopping,
    Epochs,
    GradientNormBelow,
    LossBelow,
    MaxSteps,
    Requested,
    Rule,
    TimeBudget,
)


@dataclass(frozen=True)
class Limits:
    """What ends a session from outside: a budget of ``seconds`` of ``elapsed()``, or a request."""

    elapsed: Callable[[], float]
    seconds: float | None = None
    request: Callable[[], str] = str


def make_job(prepared: Prepared, limits: Limits, first_step: int) -> Job:
    """Return the job. Raises SpecError for settings that this network or data cannot honor."""
    spec, training = prepared.spec, prepared.spec.training
    parts = {name: part.samples for name, part in prepared.parts.items()}
    found = rules(spec)
    needs = {need for rule in found for need in rule.needs}
    refuse_idle_rules(spec, needs)
    monitor = make_monitor(prepared)
    steps = -(-parts["train"] // prepared.batch_size)
    evaluated = [name for name in parts if name != "train"]
    if training.evaluate_train or any(split_name(need)[0] == "train" for need in needs):
        evaluated.insert(0, "train")
    stopping = training.early_stopping
    interruptions: list[Rule] = [Requested(limits.request)]
    if limits.seconds is not None:
        interruptions.append(TimeBudget(limits.seconds, limits.elapsed, first_step))
    return Job(
        plan=prepared.plan,
        splits=parts,
        batch_size=prepared.batch_size,
        order=ordering(prepared),
        rates=lambda first, count: rates(spec.schedule, spec.optimizer, first, count, steps),
        measure=measurement(prepared, monitor),
        rules=found,
        interruptions=interruptions,
        evaluated=evaluated,
        evaluate_every=training.evaluate_every,
        monitor=monitor,
        restore_best=bool(stopping and stopping.restore_best),
        cadence=cadence(spec),
        gradient_norms=wants_norms(spec),
        epochs=training.epochs,
        log_every=training.log_every,
    )


def ordering(prepared: Prepared) -> Callable[[int], Array]:
    """Return the function of the epoch that orders the training part: side by side in streams where
    the network goes on from batch to batch; else by length, at random, or as it lies."""
    training, part, batch = prepared.spec.training, prepared.parts["train"], prepared.batch_size
    count = part.samples
    if prepared.graph.carried:
        return lambda epoch: streams(count, batch)
    if training.bucket_by_length:
        total = np.sum(list(part.lengths.values()), axis=0)
        return lambda epoch: bucketed(training.seed, epoch, total, batch)
    return lambda epoch: order(training.seed, epoch, count, training.shuffle)


def rules(spec: Spec) -> list[Rule]:
    """Return what ends a training for good; the first that is met gives the reason."""
    training = spec.training
    found: list[Rule] = []
    if training.loss_below is not None:
        found.append(LossBelow(training.loss_below))
    if training.gradient_norm_below is not None:
        found.append(GradientNormBelow(training.gradient_norm_below))
    if stopping := training.early_stopping:
        higher = higher_is_better(stopping.monitor)
        found.append(EarlyStopping(stopping.monitor, higher, stopping.patience, stopping.min_delta))
    if training.max_steps is not None:
        found.append(MaxSteps(training.max_steps))
    return [*found, Epochs(training.epochs)]


def refuse_idle_rules(spec: Spec, needs: set[str]) -> None:
    """Raise SpecError if something has to be measured on the way and nothing is."""
    if needs and spec.training.evaluate_every == 0:
        path = ("training", "evaluate_every")
        message = f"nothing is evaluated on the way, but {', '.join(sorted(needs))} decides the end"
        raise SpecError(spec.problem(path, message, "set evaluate_every = 1"))


def make_monitor(prepared: Prepared) -> BestMonitor | None:
    """Return what decides the best; without a validation part nothing does.

    Early stopping that restores the best means this one too, whatever it watches itself.
    """
    spec = prepared.spec
    stopping = spec.training.early_stopping
    own = spec.checkpoint.monitor
    name = own or (stopping.monitor if stopping else "validation.loss")
    if "validation" not in prepared.parts or spec.training.evaluate_every == 0:
        return None
    return BestMonitor(name, higher_is_better(name))


def higher_is_better(monitor: str) -> bool:
    """Return the direction of progress of a monitored metric."""
    metric = find(split_name(monitor)[1])
    return metric is not None and metric.better == "max"


def measurement(
    prepared: Prepared, monitor: BestMonitor | None
) -> Callable[[str, Mapping[str, Array]], dict[str, float]]:
    """Return the function that measures a split: the spec's metrics, and what is monitored."""
    spec, found = prepared.spec, prepared.heads
    watched = {monitor.metric} if monitor else set()
    if spec.training.early_stopping:
        watched.add(spec.training.early_stopping.monitor)
    more = sorted({split_name(name)[1] for name in watched} - {"loss"})

    def measured(split: str, outputs: Mapping[str, Array]) -> dict[str, float]:
        part = prepared.parts[split]
        speak = speaks(prepared.plan, part)
        values = measure(found, outputs, part.targets, spec.metrics, part.naive, speak)
        if more:
            values |= measure(found, outputs, part.targets, more, part.naive, speak)
        return values

    return measured


def cadence(spec: Spec) -> Cadence:
    """Return when checkpoints are due: as the spec says, and at least every half minute."""
    settings = spec.checkpoint
    seconds = SECONDS_BETWEEN_CHECKPOINTS
    if settings.every_minutes is not None:
        seconds = min(seconds, settings.every_minutes * 60.0)
    return Cadence(settings.every_epochs, settings.every_steps, seconds)
