"""Images of one shape each: a filled figure of random place, size and color on a noisy ground.

Every figure fits the square from -1 to 1 around its center, in units of its radius.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnctl.spec.generators.shapes import Shapes

# Images are made in portions of about this many numbers, so that large sets stay out of memory.
_PORTION = 1 << 20

Figure = Callable[[np.ndarray, np.ndarray], np.ndarray]


FIGURES: dict[str, Figure] = {
    "circle": lambda y, x: y * y + x * x <= 1,
    "square": lambda y, x: (abs(y) <= 0.85) & (abs(x) <= 0.85),
    "triangle": lambda y, x: (abs(y) <= 1) & (2 * abs(x) <= y + 1),
    "cross": lambda y, x: (abs(y) <= 1) & (abs(x) <= 1) & ((abs(y) <= 0.3) | (abs(x) <= 0.3)),
    "ring": lambda y, x: (y * y + x * x <= 1) & (y * y + x * x >= 0.3),
    "bar": lambda y, x: (abs(y) <= 0.3) & (abs(x) <= 1),
}
"""Whether a pixel at (y, x), counted in radii from the center, belongs to the figure."""


def generate(model: Shapes, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make images (N, H, W, C), uint8, and the class of each (N,)."""
    names = model.target().classes or ()
    label = np.arange(model.samples) % len(names)
    images = np.empty((model.samples, *model.shape()), np.uint8)
    portion = max(1, _PORTION // (model.height * model.width * model.channels))
    for start in range(0, model.samples, portion):
        rows = slice(start, min(start + portion, model.samples))
        images[rows] = _draw(model, [FIGURES[name] for name in names], label[rows], random)
    return images, label


def _draw(
    model: Shapes, figures: list[Figure], label: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Draw one portion, (n, H, W, C) uint8."""
    count, short = len(label), min(model.height, model.width)
    radius = random.uniform(0.25, 0.45, count) * short
    center = [radius + random.random(count) * (side - 2 * radius) for side in model.shape()[:2]]
    y, x = (
        (np.arange(side) + 0.5 - middle[:, None]) / radius[:, None]
        for side, middle in zip(model.shape()[:2], center, strict=True)
    )
    inside = np.empty((count, model.height, model.width), bool)
    for k, figure in enumerate(figures):
        mine = label == k
        inside[mine] = figure(y[mine][:, :, None], x[mine][:, None, :])
    color = random.uniform(0.5, 1.0, (count, 1, 1, model.channels))
    ground = random.uniform(0.0, 0.3, (count, 1, 1, model.channels))
    image = np.where(inside[..., None], color, ground)
    image = image + model.noise * random.standard_normal(image.shape)
    pixels: np.ndarray = np.rint(np.clip(image, 0.0, 1.0) * 255).astype(np.uint8)
    return pixels
