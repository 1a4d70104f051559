"""How many samples a step has, and that every batch of an epoch has enough for all layers."""

from __future__ import annotations

from nnctl.data.shares import share
from nnctl.errors import SpecError
from nnctl.graph import Graph
from nnctl.graph.graph import small_batch
from nnctl.spec import Spec
from nnctl.spec.info import DataInfo


def batch_size(spec: Spec, samples: int) -> int:
    """Return the samples of a step as a number, at most ``samples``."""
    wanted = spec.training.batch_size
    return samples if wanted == "full" else min(wanted, samples)


def training_samples(spec: Spec, info: DataInfo) -> int | None:
    """Return how many samples the training part will have, where the header is enough to know.

    It is not where samples are divided by group or time, or where so few stay to train on that
    classes keep samples back.
    """
    asked, count = spec.data.split, info.samples
    if asked.group is not None or asked.order is not None:
        return None
    stratified = [t for t in info.targets.values() if t.kind == "class" and t.steps is None]
    classes = sum(target.width for target in stratified)
    for part, fraction in (("test", asked.test), ("validation", asked.validation)):
        if fraction and part not in info.parts:
            count -= share(count, fraction)
    return None if count < classes else min(count, spec.data.limit or count)


def check_batches(spec: Spec, graph: Graph, samples: int) -> None:
    """Refuse an epoch with a batch from which a layer could learn nothing: the last one, mostly;
    and so many streams that a state is never handed on.

    Raises SpecError.
    """
    batch = batch_size(spec, samples)
    if graph.carried and samples <= batch:
        given = f"{samples} training samples in {batch} streams: of none would a second window"
        message = f"{given} go on where the first one ended"
        hint = f"set batch_size = {max(1, samples // 2)} or less, or make windows shorter"
        raise SpecError(spec.problem(("training", "batch_size"), message, hint))
    fewest = samples % batch or batch
    for node in graph.nodes:
        if fewest < node.least_batch:
            message, hint = small_batch(node, fewest)
            left = f"{samples} training samples in batches of {batch} end with one of {fewest}: "
            other = _other(samples, batch, node.least_batch)
            if other:
                hint = f"set batch_size = {other}, which leaves enough for the last batch"
            raise SpecError(spec.problem(("training", "batch_size"), left + message, hint))


def _other(samples: int, batch: int, least: int) -> int:
    """Return the nearest batch size whose last batch is large enough; 0 if there is none."""
    sizes = [n for n in range(least, samples + 1) if (samples % n or n) >= least]
    return min(sizes, key=lambda n: (abs(n - batch), n), default=0)
