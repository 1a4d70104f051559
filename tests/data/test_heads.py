"""Heads of images read without Pillow: the same as Pillow's, or left to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnctl.data.sources import heads, pixels

MODES = ["1", "L", "I;16", "P", "LA", "RGB", "RGBA"]
JPEGS = {"L": {}, "RGB": {}, "CMYK": {}, "progressive": {"progressive": True}}


def image(mode: str, height: int = 7, width: int = 5) -> Image.Image:
    rng = np.random.default_rng(3)
    if mode == "I;16":
        return Image.fromarray(rng.integers(0, 65536, (height, width), np.uint16))
    return Image.fromarray(rng.integers(0, 256, (height, width, 4), np.uint8), "RGBA").convert(mode)


def agree(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways say the same, and it is the short one that was taken."""
    quick = heads.read(path)
    assert quick is not None
    with monkeypatch.context() as patch:
        patch.setattr(heads, "read", lambda path: None)
        assert pixels.head(path) == pixels.Head(*quick, frames=1)


@pytest.mark.parametrize("is_transparent", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_png(
    mode: str, is_transparent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = {"transparency": (1, 2, 3) if mode == "RGB" else 1} if is_transparent else {}
    if mode in ("LA", "RGBA"):
        about = {}
    image(mode).save(tmp_path / "a.png", **about)
    agree(tmp_path / "a.png", monkeypatch)


@pytest.mark.parametrize("name", JPEGS)
def test_jpeg(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mode = "RGB" if name == "progressive" else name
    notes = {"comment": b"a" * 300, "icc_profile": b"b" * 70_000}
    image(mode).save(tmp_path / "a.jpg", **JPEGS[name], **notes)
    agree(tmp_path / "a.jpg", monkeypatch)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_what_is_cut_is_left_to_pillow(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{ending}"
    image("RGB").save(path)
    whole = path.read_bytes()
    start = whole.index(b"IDAT") if ending == "png" else whole.index(b"\xff\xda")
    for size in (0, 1, 7, 9, 20, start - 1):
        path.write_bytes(whole[:size])
        assert heads.read(path) is None, size


def test_what_is_out_of_the_ordinary_is_left_to_pillow(tmp_path: Path) -> None:
    image("RGB").save(tmp_path / "a.gif")
    assert heads.read(tmp_path / "a.gif") is None
    assert heads.read(tmp_path / "none.png") is None
    image("RGB").save(tmp_path / "a.png")
    whole = bytearray((tmp_path / "a.png").read_bytes())
    whole[18] ^= 1  # of the width: the chunk's sum no longer fits
    (tmp_path / "a.png").write_bytes(whole)
    assert heads.read(tmp_path / "a.png") is None
