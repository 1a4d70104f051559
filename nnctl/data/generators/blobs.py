"""Normal clouds, one a class: center(class) ~ N(0, spread^2), point ~ N(center, noise^2).

float32, since samples may be wide and the formula needs no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnctl.spec.generators.blobs import Blobs

# Samples are made in portions of about this many numbers, so that large sets are held once only.
_PORTION = 1 << 20


def generate(model: Blobs, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make points (N, features), float32, and the cloud that each belongs to (N,)."""
    label = np.arange(model.samples) % model.classes
    shape = (model.classes, model.features)
    center = np.float32(model.spread) * random.standard_normal(shape, dtype=np.float32)
    points = np.empty((model.samples, model.features), np.float32)
    portion = max(1, _PORTION // model.features)
    for start in range(0, model.samples, portion):
        rows = points[start : start + portion]
        random.standard_normal(out=rows, dtype=np.float32)
        rows *= np.float32(model.noise)
        rows += center[label[start : start + portion]]
    return points, label
