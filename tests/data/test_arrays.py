"""What arrays become: types, axes, labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnctl.data import load
from tests.data.helpers import idx, spec, write

Y = np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("uint8", "int64"),  # a table of bytes is no image
        ("int8", "int64"),
        (">i2", "int64"),
        ("uint32", "int64"),
        ("bool", "float32"),
        ("float16", "float32"),
        (">f4", "float32"),
        ("float64", "float64"),
    ],
)
def test_types_of_inputs(given: str, expected: str, tmp_path: Path) -> None:
    values = np.array([[0, 1], [1, 1], [1, 0], [0, 0]]).astype(given)
    np.savez(tmp_path / "a.npz", x=values, y=Y)
    made = load(spec(source="a.npz"), tmp_path).inputs[""]
    assert made.dtype == np.dtype(expected) and made.flags.c_contiguous
    assert np.array_equal(made, values.astype("float64"))


@pytest.mark.parametrize(
    ("dtype", "shape", "expected"),
    [
        ("uint8", (4, 6, 5), (6, 5, 1)),  # gray images
        ("uint8", (4, 6, 5, 3), (6, 5, 3)),
        ("float32", (4, 6, 5), (6, 5)),  # sequences
        ("float32", (4,), (1,)),
    ],
)
def test_shapes_of_inputs(
    dtype: str, shape: tuple[int, ...], expected: tuple[int, ...], tmp_path: Path
) -> None:
    values = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    np.savez(tmp_path / "a.npz", x=values, y=Y)
    made = load(spec(source="a.npz"), tmp_path).inputs[""]
    assert made.dtype == dtype
    assert made.shape == (4, *expected)
    assert np.array_equal(made.ravel(), values.ravel())


@pytest.mark.parametrize(
    ("labels", "classes", "indices"),
    [
        (np.array([10, 9, -1, 9], "int16"), ("-1", "9", "10"), [2, 1, 0, 1]),
        (np.array([3, 1, 3, 1], ">u4"), ("1", "3"), [1, 0, 1, 0]),
        (np.array([True, False, True, False]), ("0", "1"), [1, 0, 1, 0]),
        (np.array(["b", "é", "b", "a"]), ("a", "b", "é"), [1, 2, 1, 0]),
        (np.array(["b", "a", "b", "a"], ">U3"), ("a", "b"), [1, 0, 1, 0]),
        (np.array([b"b", b"aa", b"b", b"aa"]), ("aa", "b"), [1, 0, 1, 0]),
    ],
    ids=["negative", "big-endian", "bool", "text", "big-endian text", "bytes"],
)
def test_labels(
    labels: np.ndarray, classes: tuple[str, ...], indices: list[int], tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), y=labels)
    target = load(spec(source="a.npz"), tmp_path).targets[""]
    assert target.classes == classes
    assert target.values.tolist() == indices


def test_numbers_as_targets(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), y=Y, z=np.arange(8.0).reshape(4, 2))
    whole = load(spec(source="a.npz", task="regression"), tmp_path).targets[""]
    assert (whole.kind, whole.values.tolist()) == ("number", [[0], [1], [0], [1]])
    pairs = load(spec(source="a.npz", target="z"), tmp_path).targets[""]
    assert (pairs.kind, pairs.values.tolist()) == ("number", [[0, 1], [2, 3], [4, 5], [6, 7]])
    soft = load(spec(source="a.npz", target="z", task="classification"), tmp_path).targets[""]
    assert (soft.kind, soft.classes) == ("rows", ("0", "1"))


def test_autoencoders_see_pixels_from_0_to_1(tmp_path: Path) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    np.savez(tmp_path / "a.npz", x=values)
    data = load(spec(source="a.npz", target="@input"), tmp_path)
    target = data.targets[""]
    assert target.kind == "rows" and target.values.dtype == np.float32
    assert np.allclose(target.values, values.reshape(4, 64) / 255, atol=1e-7)
    assert data.inputs[""].dtype == np.uint8


def test_one_of_several_inputs_mirrored(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.ones((4, 2)), b=np.full((4, 3), 5.0), y=Y)
    inputs = {"left": "a", "right": "b"}
    targets = {"copy": "@input.right", "kind": "y"}
    data = load(spec(source="a.npz", inputs=inputs, targets=targets), tmp_path)
    assert np.array_equal(data.targets["copy"].values, data.inputs["right"])
    assert data.targets["kind"].kind == "class"


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_idx(dtype: str, packed: str, tmp_path: Path) -> None:
    images = (np.arange(60) % 100).astype(dtype).reshape(5, 4, 3)
    write(tmp_path, f"t-images-idx3-ubyte{packed}", idx(images))
    write(tmp_path, f"t-labels-idx1-ubyte{packed}", idx(np.array([0, 1, 2, 0, 1], np.uint8)))
    data = load(spec(source=f"./t-images-idx3-ubyte{packed}"), tmp_path)
    assert np.array_equal(data.inputs[""].reshape(images.shape), images)
    assert data.targets[""].values.tolist() == [0, 1, 2, 0, 1]


def test_idx_with_labels_named(tmp_path: Path) -> None:
    write(tmp_path, "a.idx", idx(np.zeros((4, 2, 2), np.uint8)))
    write(tmp_path, "b.idx", idx(np.array([5, 6, 5, 6], np.uint8)))
    both = {"source": "a.idx", "target": "b.idx"}
    data = load(spec(**both, test=both), tmp_path)
    assert data.targets[""].classes == ("5", "6")
    assert data.test is not None and data.test.targets[""].values.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
def test_columns_first_in_memory(name: str, tmp_path: Path) -> None:
    values = np.arange(24.0).reshape(4, 3, 2)
    if name == "x.npy":
        np.save(tmp_path / name, np.asfortranarray(values))
    else:
        np.savez(tmp_path / name, x=np.asfortranarray(values))
    made = load(spec(source=name, target="@input"), tmp_path).inputs[""]
    assert np.array_equal(made, values) and made.flags.c_contiguous


def test_a_group_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), y=Y, who=[7, 7, 8, 8], t=[4.5, 3.5, 2.5, 1.5])
    data = load(spec(source="a.npz", split={"group": "who"}), tmp_path)
    assert data.columns["group"].tolist() == ["7", "7", "8", "8"]
    data = load(spec(source="a.npz", split={"order": "t"}), tmp_path)
    assert data.columns["order"].tolist() == [4.5, 3.5, 2.5, 1.5]
