"""Samples and maps as small pictures, for reports: whole bytes, the same for the same numbers.

A picture is (height, width, channels) with 1, 3 or 4 channels: grey, RGB or RGBA. Of a video the
middle frame is shown. Pictures of more than 96 places a side are thinned to means of their blocks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

import numpy as np

from nnctl.data import Part
from nnctl.run.heads import Array, Head

SIDE = 96
CHANNELS = (1, 3, 4)


def picture_input(inputs: Mapping[str, Array]) -> str | None:
    """Return the name of the first input whose samples are pictures or videos, or None."""
    return next((name for name, array in inputs.items() if _shows(array.shape[1:])), None)


def _shows(shape: tuple[int, ...]) -> bool:
    return len(shape) in (3, 4) and shape[-1] in CHANNELS and min(shape[-3:-1]) > 1


def drawings(heads: Sequence[Head], outputs: Mapping[str, Array]) -> Array | None:
    """Return what a network makes of its own inputs, (N, width), pixels in [0, 1]; or None."""
    for head in heads:
        if head.info.kind == "rows" and not head.classes:
            return head.rows(outputs[head.node])
    return None


def gallery(part: Part, samples: Sequence[int], drawn: Array | None = None) -> dict[str, Array]:
    """Return ``sample`` (n,) and ``pictures`` (n, h, w, c) of samples named by their place in the
    data set; nothing if there are none, or they are no pictures.

    Of videos there is ``frame``, too: which one it is, from 1, and of how many.
    ``drawn`` (N, width) are outputs for all rows of the part: where they are as large as the
    pictures, ``drawn`` (n, h, w, c) shows them with the same black and white.
    """
    name = picture_input(part.inputs)
    wanted = np.unique(np.asarray(samples, dtype=np.int64))
    if name is None or not len(wanted):
        return {}
    rows = np.flatnonzero(np.isin(part.index, wanted))
    shape = part.inputs[name].shape[1:]
    pictures = thinned(_frames(part.inputs[name][rows]))
    low, high = value_range(pictures)
    found = {"sample": part.index[rows], "pictures": scaled(pictures, low, high)}
    if len(shape) == 4:
        found["frame"] = np.array([shape[0] // 2 + 1, shape[0]])
    if drawn is not None and drawn.shape[1] == prod(shape):
        made = thinned(_frames(drawn[rows].reshape(-1, *shape)))
        edges = (0.0, 1.0) if pictures.dtype == np.uint8 else (low, high)
        found["drawn"] = scaled(made, *edges)
    return found


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
