"""Loss and metrics of whole splits in evaluation mode, in slices so that it can be interrupted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from nnctl.train.job import Array, Job

# Fixed, so that it can change no number; a slice is a moment's work.
SLICE_ROWS = 1024

Metrics = dict[str, dict[str, float]]
Terms = Sequence[tuple[float, float, float]]
"""(weight, mean, count) of each loss on some rows."""


class Interrupted(Exception):
    """Evaluation was given up because training is asked to stop; no number was kept."""


def evaluate(job: Job, splits: Iterable[str], interrupted: Callable[[], bool]) -> Metrics:
    """Return {split: {"loss": ..., "accuracy": ...}} of the splits that exist.

    Raises Interrupted if ``interrupted()`` turns true on the way.
    """
    found = {}
    for split in splits:
        if job.splits.get(split):
            loss, outputs = forward(job, split, interrupted)
            found[split] = {"loss": loss, **job.measure(split, outputs)}
    return found


def forward(
    job: Job, split: str, interrupted: Callable[[], bool]
) -> tuple[float, dict[str, Array]]:
    """Return the mean loss and the outputs of all rows of a split, in row order."""
    count = job.splits[split]
    parts: list[Mapping[str, Array]] = []
    terms: list[Terms] = []
    for start in range(0, count, SLICE_ROWS):
        if interrupted():
            raise Interrupted
        rows = np.arange(start, min(start + SLICE_ROWS, count), dtype=np.int64)
        result = job.plan.evaluate(split, rows)
        terms.append(result.terms)
        parts.append(result.outputs)
    return mean_loss(terms), {n: np.concatenate([part[n] for part in parts]) for n in parts[0]}


def mean_loss(slices: Sequence[Terms]) -> float:
    """Return the loss of all rows from the terms of each slice: means over all that counts; NaN
    where nothing does."""
    total = 0.0
    for losses in zip(*slices, strict=True):
        counted = sum(count for _, _, count in losses)
        if not counted:
            return float("nan")
        total += losses[0][0] * (sum(mean * count for _, mean, count in losses) / counted)
    return total if slices and slices[0] else float("nan")


def flat(metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return {"validation.loss": ...} from {"validation": {"loss": ...}}."""
    return {f"{split}.{name}": v for split, values in metrics.items() for name, v in values.items()}


def unbounded(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """Return the first split whose loss is NaN or Inf, or ""."""
    return next((split for split, m in metrics.items() if not math.isfinite(m["loss"])), "")


def finite(metrics: Mapping[str, Mapping[str, float]]) -> Metrics:
    """Return the metrics without those that are NaN or Inf, which no JSON file can hold."""
    return {
        split: {name: float(v) for name, v in values.items() if math.isfinite(v)}
        for split, values in metrics.items()
    }
