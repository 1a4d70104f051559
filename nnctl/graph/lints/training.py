"""Advice on how the run goes."""

from __future__ import annotations

from collections.abc import Iterator

from nnctl.graph.lint import Advice, View


def long_schedule(view: View) -> Iterator[Advice]:
    """A schedule that reaches its end after the run has ended."""
    length = getattr(view.spec.schedule, "epochs", None)
    epochs = view.spec.training.epochs
    if length is not None and length > epochs:
        yield Advice(
            ("schedule", "epochs"),
            f"the schedule takes {length} epochs and the run has {epochs}: "
            "the final learning rate is never reached",
            f"set epochs = {epochs} in [schedule], or train longer",
        )


def large_batch(view: View) -> Iterator[Advice]:
    """A batch that holds more than all samples there are."""
    batch = view.spec.training.batch_size
    count = _training_samples(view)
    if isinstance(batch, int) and 0 < count < batch:
        yield Advice(
            ("training", "batch_size"),
            f"a batch of {batch} holds all of the about {count} training samples: "
            "an epoch is one step",
            'write batch_size = "full" if that is meant, or a smaller number',
        )


def _training_samples(view: View) -> int:
    """Estimate the training part: what the shares leave, rounded down."""
    data, split = view.spec.data, view.spec.data.split
    count: float = view.info.samples
    if "test" not in view.info.parts:
        count *= split.train
    if "validation" not in view.info.parts:
        count *= 1 - split.validation
    return int(min(count, data.limit or count))
