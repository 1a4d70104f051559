"""Pictures as PNG files inside the page: the same pixels give the same bytes."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def data_uri(pixels: Pixels) -> str:
    """Return a picture (h, w) or (h, w, channels) as a ``data:`` address."""
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")


def png(pixels: Pixels) -> bytes:
    """Return a PNG file of 1 to 4 channels: grey, grey and alpha, RGB, RGBA."""
    from PIL import Image  # reports without pictures need none

    if pixels.shape[2:] == (1,):
        pixels = pixels[:, :, 0]
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", optimize=True)
    return file.getvalue()
