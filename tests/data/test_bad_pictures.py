"""Broken images, folders and CIFAR batches: each mistake with its exact message and exit code 3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnctl.data import load
from nnctl.data.sources import pixels
from nnctl.errors import DataError
from tests.data.helpers import spec
from tests.data.test_bad_files import Case
from tests.data.test_bad_files import test_what_is_said as says
from tests.data.test_pictures import clips, save

Maker = Callable[[Path], None]

CUT = "the file was cut short or damaged; copy it again, or remove it"
PUT = "put images (.png, .jpg, .jpeg, .gif) into a folder for each class"
SIZE = "resize all of them: set data.image_size = [height, width]"
DEPTH = "convert all of them: set data.channels to 1 (gray), 3 (RGB) or 4 (RGBA)"
WRITE = "the file was cut short or damaged; write or copy it again"
SET = {"source": "./set"}
BIN = {"source": "a.bin"}


def images(*names: str, channels: int = 3, height: int = 40) -> Maker:
    def make(folder: Path) -> None:
        rng = np.random.default_rng(0)
        for name in names:
            values = rng.integers(0, 256, (height, 30, channels), np.uint8)
            save(folder / "set" / name, values)

    return make


def cut(name: str, keep: float) -> Maker:
    def make(folder: Path) -> None:
        path = folder / "set" / name
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * keep)])

    return make


def folders(*names: str) -> Maker:
    def make(folder: Path) -> None:
        for name in names:
            (folder / "set" / name).mkdir(parents=True)

    return make


def content(name: str, data: bytes) -> Maker:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return make


def link(name: str) -> Maker:
    return lambda folder: (folder / name).symlink_to("../gone.png")


def all_of(*makers: Maker) -> Maker:
    def make(folder: Path) -> None:
        for maker in makers:
            maker(folder)

    return make


TWO = images("cat/1.png", "cat/2.png", "dog/1.png")


def short_clip(folder: Path) -> None:
    clips(folder / "set")
    (folder / "set" / "run" / "one" / "2.png").unlink()


CASES = {
    "no image at all": Case(
        all_of(TWO, content("set/dog/1.png", b"hello")),
        f"DIR/set/dog/1.png: not a PNG, JPEG or GIF image\n  {CUT}",
        SET,
    ),
    "several that are none": Case(
        all_of(TWO, content("set/cat/2.png", b"hello"), content("set/dog/1.png", b"hello")),
        "DIR/set/cat/2.png: not a PNG, JPEG or GIF image\n"
        f"DIR/set/dog/1.png: not a PNG, JPEG or GIF image\n  {CUT}",
        SET,
    ),
    "an empty image": Case(
        all_of(TWO, content("set/dog/1.png", b"")),
        "DIR/set/dog/1.png: the file is empty (0 bytes)\n  write the data again",
        SET,
    ),
    "a link to nothing": Case(
        all_of(TWO, link("set/dog/2.png")),
        "DIR/set/dog/2.png: a symbolic link to ../gone.png, which is not there\n"
        "  bring back what it names, or remove the link",
        SET,
    ),
    "a link to no folder": Case(
        all_of(TWO, link("set/eel")),
        "DIR/set/eel: a symbolic link to ../gone.png, which is not there\n"
        "  bring back what it names, or remove the link",
        SET,
    ),
    "a data set that is a link to nothing": Case(
        lambda folder: (folder / "set").symlink_to("elsewhere"),
        "DIR/set: a symbolic link to elsewhere, which is not there\n"
        "  bring back what it names, or remove the link",
        SET,
    ),
    "images without folders": Case(
        images("1.png", "2.png"),
        "DIR/set: images, but no folder of a class\n"
        f'  {PUT}\n  or set data.target to "@input" (autoencoder)',
        SET,
    ),
    "an image beside the folders": Case(
        all_of(TWO, images("3.png")),
        "DIR/set: 3.png lies beside the folders of the classes\n"
        "  move it into the folder of its class",
        SET,
    ),
    "no images": Case(folders("cat", "dog"), f"DIR/set: no images\n  {PUT}", SET),
    "one class": Case(
        images("cat/1.png", "cat/2.png"),
        'DIR/set: only one folder of a class, "cat"\n  a classifier needs two: add a folder, '
        'or set data.target to "@input" (autoencoder)',
        SET,
    ),
    "an empty class": Case(
        all_of(TWO, folders("eel")),
        "DIR/set/eel: a class without images\n"
        "  put images (.png, .jpg, .jpeg, .gif) into it, or remove the folder",
        SET,
    ),
    "mixed sizes": Case(
        all_of(TWO, images("dog/2.png", height=20)),
        f"DIR/set/dog/2.png: 20x30, expected 40x30 like 3 of 4 files\n  {SIZE}",
        SET,
    ),
    "mixed channels": Case(
        all_of(TWO, images("dog/2.png", channels=1)),
        f"DIR/set/dog/2.png: 1 channel, expected 3 channels like 3 of 4 files\n  {DEPTH}",
        SET,
    ),
    "a clip among images": Case(
        all_of(TWO, images("dog/two/1.png")),
        "DIR/set/dog/two: a clip, expected an image like 3 of 4 files\n"
        "  keep images and clips (folders of frames, animated GIFs) apart",
        SET,
    ),
    "clips of different lengths": Case(
        short_clip,
        "DIR/set/walk/a.gif: 3 frames, expected 2 frames like 1 of 2 files\n"
        "  read as many of all of them: set data.frames",
        SET,
    ),
    "a clip that is too short": Case(
        short_clip,
        "DIR/set/run/one: 2 frames, expected 3 (data.frames)\n"
        "  reduce data.frames, or leave the clip out",
        {**SET, "frames": 3},
    ),
    "a clip without frames": Case(
        all_of(TWO, folders("dog/two")),
        "DIR/set/dog/two: a clip without frames\n"
        "  a folder within a class is a clip and holds its frames as images",
        SET,
    ),
    "a single image": Case(
        TWO,
        "DIR/set/dog/1.png: a single image is no data set\n"
        "  name the folder that holds a folder of images for each class",
        {"source": "./set/dog/1.png"},
    ),
    "a test part of another size": Case(
        all_of(
            images("train/cat/1.png", "train/dog/1.png"),
            images("test/cat/1.png", "test/dog/1.png", height=20),
        ),
        f"DIR/set/test: samples of shape 20x30x3, expected 40x30x3 as in set\n  {SIZE}",
        SET,
    ),
    "a test part with a class of its own": Case(
        images("train/cat/1.png", "train/dog/1.png", "test/cow/1.png"),
        'DIR/set/test/cow/1.png: label "cow" of "class" is none of the 2 classes\n'
        "  classes: cat, dog",
        SET,
    ),
    "a folder beside parts": Case(
        images("train/cat/1.png", "train/dog/1.png", "Test/cat/1.png", "extra/cat/1.png"),
        "DIR/set: extra lies beside train, which holds folders as a part does\n"
        "  parts are called train, validation and test: rename it, or move it away; if\n"
        "  train is a class of clips, rename that",
        SET,
    ),
    "val and validation": Case(
        images("train/cat/1.png", "train/dog/1.png", "val/cat/1.png", "validation/cat/1.png"),
        "DIR/set: both val and validation are there\n  join them: they are the same part",
        SET,
    ),
    "a cut CIFAR batch": Case(
        content("a.bin", bytes(3073 * 3 - 1)),
        "DIR/a.bin: 9218 bytes, not a multiple of 3073, the length of a CIFAR record\n  " + WRITE,
        BIN,
    ),
    "a label that is none": Case(
        content("a.bin", bytes(3073) + b"\x0a" + bytes(3072)),
        f"DIR/a.bin: record 1: label 10, expected 0 to 9\n  is this a CIFAR file? {WRITE}",
        BIN,
    ),
    "names of classes missing": Case(
        all_of(content("a.bin", bytes(3073)), content("batches.meta.txt", b"cat\ndog\n")),
        "DIR/batches.meta.txt: 2 names of classes, expected 10\n"
        "  write one name a line, or remove the file",
        BIN,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_broken_images(name: str, tmp_path: Path) -> None:
    says(CASES[name], {}, tmp_path)


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_a_truncated_image_is_named(ending: str, tmp_path: Path) -> None:
    all_of(images(f"cat/1.{ending}", f"dog/1.{ending}"), cut(f"dog/1.{ending}", 0.6))(tmp_path)
    with pytest.raises(DataError, match=rf"dog/1\.{ending}: unreadable image: .*\n  {CUT}"):
        load(spec(**SET), tmp_path)


def test_a_gif_that_is_cut_anywhere_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frames = [Image.fromarray(rng.integers(0, 256, (5, 4), np.uint8)) for _ in range(3)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], loop=0)
    whole = path.read_bytes()
    assert pixels.head(path).frames == 3
    path.write_bytes(whole[:-1])  # without the mark of its end
    assert pixels.head(path).frames == 3
    said = []
    for size in range(14, len(whole) - 1):
        path.write_bytes(whole[:size])
        try:
            said.append(f"frames {pixels.head(path).frames}")
        except DataError as error:
            said.append(error.problems[0].message)
    cuts = [f"truncated GIF: the file ends in frame {k}" for k in (1, 2, 3)]
    # At the end of a frame it is as good as whole.
    assert set(said) <= {*cuts, "frames 1", "frames 2", "not a PNG, JPEG or GIF image"}
    assert [said.count(text) > 9 for text in cuts] == [True] * 3
    assert sum(text.startswith("frames") for text in said) <= 8


def test_all_truncated_images_are_named(tmp_path: Path) -> None:
    names = [f"cat/{k:02}.png" for k in range(12)]
    all_of(images(*names, "dog/1.png"), *(cut(name, 0.6) for name in names))(tmp_path)
    with pytest.raises(DataError) as found:
        load(spec(**SET), tmp_path)
    assert [Path(p.file).name for p in found.value.problems] == [n[4:] for n in names[:10]]


def test_damage_anywhere_is_an_error_of_the_data(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (9, 9, 3), np.uint8)).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[int(rng.integers(len(whole)))] ^= int(rng.integers(1, 256))
        (tmp_path / "a.png").write_bytes(damaged[: int(rng.integers(1, len(whole) + 1))])
        try:
            pixels.head(tmp_path / "a.png")
            list(pixels.frames(tmp_path / "a.png", 1, 3, None))
        except DataError as error:
            assert "a.png" in str(error)


def test_of_many_files_that_differ_the_first_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    images(*(f"cat/{k}.png" for k in range(20)))(tmp_path)
    images(*(f"dog/{k}.png" for k in range(14)), height=20)(tmp_path)
    with pytest.raises(DataError) as caught:
        load(spec(**SET), tmp_path)
    assert [len(caught.value.problems), caught.value.problems[-1].message] == [11, "and 4 more"]
