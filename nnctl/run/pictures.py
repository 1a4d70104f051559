"""Samples and maps as small pictures, for reports: whole bytes, the same for the same numbers.

A picture is (height, width, channels) with 1, 3 or 4 channels: grey, RGB or RGBA. Of a video the
middle frame is shown. Pictures of more than 96 places a side are thinned to means of their blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnctl.data import Part
from nnctl.run.heads import Array

SIDE = 96
CHANNELS = (1, 3, 4)


def picture_input(inputs: Mapping[str, Array]) -> str | None:
    """Return the name of the first input whose samples are pictures or videos, or None."""
    return next((name for name, array in inputs.items() if _shows(array.shape[1:])), None)


def _shows(shape: tuple[int, ...]) -> bool:
    return len(shape) in (3, 4) and shape[-1] in CHANNELS and min(shape[-3:-1]) > 1


def gallery(part: Part, samples: Sequence[int]) -> dict[str, Array]:
    """Return ``sample`` (n,) and ``pictures`` (n, h, w, c) of samples named by their place in the
    data set; nothing if there are none, or they are no pictures."""
    name = picture_input(part.inputs)
    wanted = np.unique(np.asarray(samples, dtype=np.int64))
    if name is None or not len(wanted):
        return {}
    rows = np.flatnonzero(np.isin(part.index, wanted))
    pictures = thinned(_frames(part.inputs[name][rows]))
    return {"sample": part.index[rows], "pictures": scaled(pictures, *value_range(pictures))}


def _frames(samples: Array) -> Array:
    return samples if samples.ndim == 4 else samples[:, samples.shape[1] // 2]


def thinned(pictures: Array) -> Array:
    """Return (n, h, w, c) with at most 96 places a side, each the mean of a block."""
    factor = -(-max(pictures.shape[1:3]) // SIDE)
    if factor == 1:
        return pictures
    n, h, w, c = pictures.shape
    height, width = h // factor, w // factor
    cut = pictures[:, : height * factor, : width * factor].astype(np.float64)
    means: Array = cut.reshape(n, height, factor, width, factor, c).mean(axis=(2, 4))
    return np.rint(means).astype(np.uint8) if pictures.dtype == np.uint8 else means


def value_range(pictures: Array) -> tuple[float, float]:
    """Return what black and white stand for: 0 and 255 or 1 where all values are such."""
    if pictures.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(pictures.min()), float(pictures.max())
    return (0.0, 1.0) if low >= 0.0 and high <= 1.0 else (low, high)


def scaled(values: Array, low: float, high: float) -> Array:
    """Return bytes, 0 for ``low`` and 255 for ``high``; what is not finite is 0."""
    if values.dtype == np.uint8:
        return values
    with np.errstate(invalid="ignore", over="ignore"):
        parts = (values.astype(np.float64) - low) / ((high - low) or 1.0)
    parts = np.where(np.isfinite(parts), parts, 0.0)
    return np.rint(np.clip(parts, 0.0, 1.0) * 255.0).astype(np.uint8)
