"""Pictures as PNG files, read back."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from nnctl.report.png import data_uri, png


@pytest.mark.parametrize(
    ("channels", "mode"), [(None, "L"), (1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")]
)
def test_pixels_come_back(channels, mode):
    shape = (5, 3) if channels is None else (5, 3, channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    picture = Image.open(io.BytesIO(png(pixels)))
    picture.load()
    assert (picture.mode, picture.size) == (mode, (3, 5))
    assert (np.asarray(picture) == pixels.squeeze()).all()


def test_an_address_holds_the_same_bytes():
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    head, _, text = data_uri(pixels).partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(text) == png(pixels)
