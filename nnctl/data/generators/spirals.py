"""Spiral arms wound round each other, one a class (after Lang & Witbrock 1988).

angle(t) = 2 pi (turns t + arm / arms),  point = t (cos angle, sin angle) + noise,  0 < t <= 1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnctl.spec.generators.points import Spirals


def generate(model: Spirals, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make points (N, 2), float64, and the arm that each lies on (N,)."""
    arm = np.arange(model.samples) % model.classes
    # The square root spreads the points evenly along the arm; 0.05 keeps arms apart at the center.
    radius = 0.05 + 0.95 * np.sqrt(random.random(model.samples))
    angle = 2 * np.pi * (model.turns * radius + arm / model.classes)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + model.noise * random.standard_normal(points.shape), arm
