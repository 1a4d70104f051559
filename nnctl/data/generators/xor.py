"""The four corners of the unit square in turn, with normal noise; the class is a xor b."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnctl.spec.generators.points import Xor


def generate(model: Xor, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make points (N, 2), float64, and their classes (N,)."""
    corner = np.arange(model.samples) % 4
    a, b = corner // 2, corner % 2
    points = np.stack([a, b], axis=1) + model.noise * random.standard_normal((model.samples, 2))
    return points, a ^ b
