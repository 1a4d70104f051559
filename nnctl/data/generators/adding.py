"""Numbers and marks: the sum of the two marked numbers is asked for.

After Hochreiter & Schmidhuber (1997).

x ~ U(0, 1) at each step; marks are 1 at a step of the first half and one of the second, else 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnctl.spec.generators.sequences import Adding


def generate(model: Adding, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make pairs (N, length, 2), float32, and sums (N, 1)."""
    rows, half = np.arange(model.samples), model.length // 2
    pairs = np.zeros((model.samples, model.length, 2), np.float32)
    random.random(out=(numbers := np.empty(pairs.shape[:2], np.float32)), dtype=np.float32)
    pairs[:, :, 0] = numbers
    first = np.floor(random.random(model.samples) * half).astype(np.int64)
    second = half + np.floor(random.random(model.samples) * (model.length - half)).astype(np.int64)
    pairs[rows, first, 1] = pairs[rows, second, 1] = 1.0
    sums: np.ndarray = numbers[rows, first].astype(np.float64) + numbers[rows, second]
    return pairs, sums[:, None]
