"""Folders of images, clips and CIFAR batches: what is read, to the byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnctl.data import load, load_more, split
from nnctl.data.header import inspect
from nnctl.errors import DataError, SpecError
from tests.data.helpers import info_of, spec

MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def pixels(seed: int, channels: int = 3, height: int = 5, width: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def save(path: Path, values: np.ndarray) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    flat = values[..., 0] if values.shape[-1] == 1 else values
    Image.fromarray(flat).save(path)
    return values


def classes(root: Path, channels: int = 3, each: int = 2, start: int = 0) -> np.ndarray:
    made = []
    for k, name in enumerate(("cat", "dog")):
        for i in range(each):
            values = pixels(start + 10 * k + i, channels)
            made.append(save(root / name / f"{i + 9}.png", values))
    return np.stack(made)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_folder_for_each_class(channels: int, tmp_path: Path) -> None:
    made = classes(tmp_path / "set", channels)
    (tmp_path / "set" / "cat" / ".hidden.png").write_bytes(b"")
    (tmp_path / "set" / "cat" / "notes.txt").write_text("no image")
    data = spec(source="./set")
    found = load(data, tmp_path)
    assert found.inputs[""].dtype == np.uint8
    assert np.array_equal(found.inputs[""], made)  # 9 before 10
    assert found.targets[""].classes == ("cat", "dog")
    assert found.targets[""].values.tolist() == [0, 0, 1, 1]
    header = inspect(data, tmp_path)
    assert header == info_of(found, header.columns, header.files)


def test_jpeg_in_gray(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "b/1.jpeg"):
        save(tmp_path / "set" / name, np.full((8, 8, 3), 100, np.uint8))
    found = load(spec(source="./set", channels=1), tmp_path)
    assert found.inputs[""].shape == (2, 8, 8, 1)
    assert set(np.unique(found.inputs[""])) == {100}


def test_sixteen_bits_and_palettes(tmp_path: Path) -> None:
    deep = np.arange(20, dtype=np.uint16).reshape(4, 5) * 3000
    (tmp_path / "set" / "a").mkdir(parents=True)
    Image.fromarray(deep).save(tmp_path / "set" / "a" / "deep.png")
    color = Image.fromarray(np.full((4, 5, 3), 60, np.uint8)).convert("P")
    (tmp_path / "set" / "b").mkdir()
    color.save(tmp_path / "set" / "b" / "palette.png")
    found = load(spec(source="./set", channels=1), tmp_path).inputs[""]
    assert np.array_equal(found[0, ..., 0], deep >> 8)


@pytest.mark.parametrize("names", ["train test val", "Training TESTING valid"])
def test_parts_of_their_own(tmp_path: Path, names: str) -> None:
    parts = {}
    train, test, validation = names.split()
    for start, name in enumerate((train, test, validation)):
        parts[name] = classes(tmp_path / "set" / name, start=100 * start)
    data = spec(source="./set")
    found = load(data, tmp_path)
    header = inspect(data, tmp_path)
    assert header.parts == {"test": 4, "validation": 4} and header.samples == 4
    assert header == info_of(found, header.columns, header.files)
    made = split(found, data)
    assert made.test is not None and made.validation is not None
    for part, name in ((made.train, train), (made.test, test), (made.validation, validation)):
        assert np.array_equal(part.inputs[""], parts[name])
    for keys in ({"test": f"./set/{test}"}, {"split": {"test": 0.5}}):
        with pytest.raises(SpecError, match="has no effect: set holds the test samples"):
            load(spec(source="./set", **keys), tmp_path)


def test_keys_of_images_on_other_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 3)), y=[0, 1, 0, 1])
    classes(tmp_path / "set")
    with pytest.raises(SpecError, match="channels: has no effect: a.npz holds no files of images"):
        inspect(spec(source="a.npz", channels=1), tmp_path)
    with pytest.raises(SpecError, match="frames: has no effect: set holds no clips"):
        inspect(spec(source="./set", frames=2), tmp_path)


def test_resized(tmp_path: Path) -> None:
    save(tmp_path / "set" / "a" / "1.png", np.full((9, 7, 3), 50, np.uint8))
    save(tmp_path / "set" / "b" / "1.png", np.full((4, 6, 3), 70, np.uint8))
    data = spec(source="./set", image_size=[6, 4])
    found = load(data, tmp_path).inputs[""]
    assert found.shape == (2, 6, 4, 3) and found[:, 0, 0, 0].tolist() == [50, 70]
    assert inspect(data, tmp_path).inputs == {"": (6, 4, 3)}


def clips(root: Path) -> np.ndarray:
    """A folder of frames and an animated GIF."""
    frames = [save(root / "run" / "one" / f"{i}.png", pixels(i)) for i in range(3)]
    pictures = [Image.fromarray(np.full((5, 4, 3), 80 * i, np.uint8)) for i in range(3)]
    (root / "walk").mkdir()
    pictures[0].save(root / "walk" / "a.gif", save_all=True, append_images=pictures[1:])
    return np.stack(frames)


def test_clips(tmp_path: Path) -> None:
    made = clips(tmp_path / "set")
    data = spec(source="./set")
    found = load(data, tmp_path)
    assert inspect(data, tmp_path).inputs == {"": (3, 5, 4, 3)}
    assert np.array_equal(found.inputs[""][0], made)
    assert found.inputs[""][1, :, 0, 0, 0].tolist() == [0, 80, 160]
    fewer = load(spec(source="./set", frames=2), tmp_path)
    assert np.array_equal(fewer.inputs[""], found.inputs[""][:, :2])
    assert found.reading is not None
    assert found.files is not None and found.files.tolist() == ["run/one", "walk/a.gif"]
    for name, file in (("./set/run/one", "one"), ("./set/walk/a.gif", "a.gif")):
        more = load_more(data, found.reading, name, labeled=False, base_dir=tmp_path)
        assert more.inputs[""].shape == (1, 3, 5, 4, 3)
        assert more.files is not None and more.files.tolist() == [file]


def test_a_video_in_an_archive(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 4, 1), np.uint8)
    np.savez(tmp_path / "a.npz", x=x, y=[0, 1, 0, 1])
    found = load(spec(source="a.npz"), tmp_path)
    assert found.inputs[""].dtype == np.uint8 and np.array_equal(found.inputs[""], x)
    assert found.files is None


def test_parts_keep_the_names_of_their_files(tmp_path: Path) -> None:
    classes(tmp_path / "set", each=8)
    data = spec(source="./set", split={"test": 0.25})
    found = load(data, tmp_path)
    test = split(found, data).test
    assert test is not None and test.files is not None and found.files is not None
    for row, place in enumerate(test.index):
        assert test.origin(row) == {"sample": place, "file": found.files[place]}


def test_unlabeled(tmp_path: Path) -> None:
    made = classes(tmp_path / "set")
    data = spec(source="./set")
    reading = load(data, tmp_path).reading
    assert reading is not None
    for name, expected in (("./set", made), ("./set/dog", made[2:]), ("./set/cat/9.png", made[:1])):
        more = load_more(data, reading, name, labeled=False, base_dir=tmp_path)
        assert np.array_equal(more.inputs[""], expected)
    mirrored = load(spec(source="./set/cat", target="@input"), tmp_path)
    assert mirrored.targets[""].kind == "rows" and mirrored.samples == 2
    classes(tmp_path / "parts" / "train")
    with pytest.raises(DataError, match="a folder of several parts"):
        load_more(data, reading, "./parts", base_dir=tmp_path)


def records(count: int, labels: int, limit: int) -> tuple[bytes, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    planes = rng.integers(0, 256, (count, 3072), np.uint8)
    given = (np.arange(count * labels).reshape(count, labels) % limit).astype(np.uint8)
    images = planes.reshape(count, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.concatenate([given, planes], axis=1).tobytes(), images, given


def test_cifar_10(tmp_path: Path) -> None:
    folder = tmp_path / "cifar"
    folder.mkdir()
    train, images, labels = records(12, 1, 10)
    (folder / "data_batch_1.bin").write_bytes(train)
    (folder / "test_batch.bin").write_bytes(records(5, 1, 10)[0])
    names = [f"name{9 - k}" for k in range(10)]
    (folder / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
    data = spec(source="./cifar")
    found = load(data, tmp_path)
    assert np.array_equal(found.inputs[""], images)
    assert np.array_equal(found.targets[""].values, labels[:, 0])
    assert found.targets[""].classes == tuple(names)
    header = inspect(data, tmp_path)
    assert header.parts == {"test": 5}
    assert header == info_of(found, header.columns, header.files)


def test_cifar_100(tmp_path: Path) -> None:
    content, images, labels = records(6, 2, 20)
    (tmp_path / "train.bin").write_bytes(content)
    for target, column, count in ((None, 1, 100), ("fine", 1, 100), ("coarse", 0, 20)):
        found = load(spec(source="train.bin", target=target), tmp_path)
        assert np.array_equal(found.inputs[""], images)
        assert np.array_equal(found.targets[""].values, labels[:, column])
        assert len(found.targets[""].classes or ()) == count
