"""Read image files with Pillow, which is imported when the first one is opened."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.data.files import require_file
from nnctl.data.problems import file_error
from nnctl.data.sources import heads

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_DAMAGED = "the file was cut short or damaged; copy it again, or remove it"
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_GRAY = ("1", "L", "I", "F")


@dataclass(frozen=True)
class Head:
    """What the head of an image file says."""

    height: int
    width: int
    channels: int
    frames: int


def head(path: Path) -> Head:
    """Read the head of an image; pixels stay undecoded. Raises DataError."""
    found = heads.read(path)
    if found is not None:
        return Head(*found, frames=1)
    with _opened(path) as image:
        cut = heads.cut_gif(path) if image.format == "GIF" else None
        if cut is not None:
            raise file_error(path, f"truncated GIF: the file ends in frame {cut}", _DAMAGED)
        frames = int(getattr(image, "n_frames", 1)) if image.format == "GIF" else 1
        return Head(image.height, image.width, _channels(image), frames)


def frames(
    path: Path, count: int, channels: int, size: tuple[int, int] | None
) -> Iterator[np.ndarray]:
    """Yield the first ``count`` frames as bytes (H, W, C), resized where a size is given."""
    import numpy as np  # not above: `check` imports this file

    with _opened(path) as image:
        for number in range(count):
            if number:
                image.seek(number)
            made = _eight_bits(image).convert(_MODES[channels])
            if size is not None and made.size != (size[1], size[0]):
                from PIL import Image

                made = made.resize((size[1], size[0]), Image.Resampling.BILINEAR)
            yield np.asarray(made).reshape(made.height, made.width, channels)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image; whatever Pillow says of it is a DataError."""
    from PIL import Image, UnidentifiedImageError

    require_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=("PNG", "JPEG", "GIF")) as image:
                yield image
    except UnidentifiedImageError:
        raise file_error(path, "not a PNG, JPEG or GIF image", _DAMAGED) from None
    except Image.DecompressionBombError:
        hint = "make it smaller: image_size resizes only what can be decoded"
        raise file_error(path, "more pixels than can be decoded safely", hint) from None
    except (struct.error, EOFError, IndexError):
        raise file_error(path, "unreadable image: the file ends too early", _DAMAGED) from None
    except (OSError, SyntaxError, ValueError, zlib.error) as error:
        raise file_error(path, f"unreadable image: {error}", _DAMAGED) from None


def _channels(image: Image.Image) -> int:
    if image.format == "GIF":
        return 3
    if image.mode in _GRAY or image.mode.startswith("I;16"):
        return 1
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    return 4 if has_alpha and image.mode != "RGB" else 3


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return an image of 16 bits a pixel by its upper 8, any other as it is."""
    if not image.mode.startswith("I"):
        return image
    import numpy as np  # not above: `check` imports this file
    from PIL import Image

    return Image.fromarray((np.asarray(image).astype(np.int64) >> 8).astype(np.uint8))
