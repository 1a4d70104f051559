"""Follow a training and write down what happens: events, checkpoints, links."""

from __future__ import annotations

from collections.abc import Callable

from nnctl.run.eventlog import EventLog
from nnctl.run.keeper import Keeper
from nnctl.train import events
from nnctl.train.job import Job
from nnctl.train.loop import train
from nnctl.train.state import TrainState

OnEvent = Callable[[events.Event], None]


def ignore(event: events.Event) -> None:
    """Do nothing."""


def record(
    job: Job, state: TrainState, keeper: Keeper, log: EventLog, on_event: OnEvent = ignore
) -> events.Event:
    """Train to the end or to an interruption; returns the last event.

    Everybody hears of an event before the next one happens, ``on_event`` last. Raises
    CheckpointError if something cannot be written; what was written before stays.
    """
    last: events.Event = events.Event(state.counters.epoch, state.counters.step)
    for event in train(job, state):
        log.write(event)
        if isinstance(event, events.CheckpointDue):
            # The log must never know less than the checkpoint: on resume it is only cut.
            log.sync()
            keeper.write(state, event.metrics)
        on_event(event)
        last = event
    return last
