"""What an evaluation found: outputs, the losses of samples, and the means that they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Term(NamedTuple):
    """One loss: its weight, and its mean over so many samples, or steps that count."""

    weight: float
    mean: float
    counted: float


@dataclass(frozen=True)
class Evaluation:
    """Outputs in evaluation mode, in original units, and the loss of every sample.

    ``loss`` is the weighted sum of the mean losses (of standardized targets, where the data
    standardize them); ``terms`` are what it is the sum of. Of a target over steps the loss of a
    sample is the mean over its steps that count, and the mean loss is that over all of them.
    """

    outputs: dict[str, np.ndarray]
    losses: dict[str, np.ndarray]
    loss: float
    terms: tuple[Term, ...] = ()


def term(weight: float, sums: np.ndarray, counts: np.ndarray | None) -> Term:
    """Return the mean of the losses of samples, each a sum of so many (None: of one)."""
    total = float(len(sums)) if counts is None else float(counts.sum())
    return Term(weight, tree_sum(sums) / max(total, 1.0), total)


def per_sample(
    losses: Mapping[str, np.ndarray], counts: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the mean losses of the samples."""
    ones = np.ones(1)
    return {n: sums / np.maximum(counts.get(n, ones), 1.0) for n, sums in losses.items()}


def tree_sum(values: np.ndarray) -> float:
    """Sum in double precision: four equal parts, then their tree."""
    quarter = -(-len(values) // 4)
    parts = [float(np.add.reduce(values[q * quarter : (q + 1) * quarter])) for q in range(4)]
    return (parts[0] + parts[1]) + (parts[2] + parts[3])
