"""Other data read as the training data were; fingerprints; the order of an epoch."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nnctl.data
from nnctl.data import load, load_more, order
from nnctl.data.dataset import Dataset, Target
from nnctl.data.fingerprint import fingerprint
from nnctl.data.reading import Reading
from nnctl.data.tokens import Vocabulary
from nnctl.errors import DataError
from tests.data.helpers import IRIS, idx, spec, write


def kept(reading: Reading | None) -> Reading:
    """Send a reading through JSON, as a checkpoint does."""
    assert reading is not None
    back = Reading.from_json(json.loads(json.dumps(reading.to_json())))
    assert back == reading
    return back


def test_predicting_needs_neither_targets_nor_the_training_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", IRIS)
    data = spec(source="a.csv", target="kind", split={"group": "width"}, features=["length"])
    reading = kept(load(data, tmp_path).reading)
    path.unlink()
    write(tmp_path, "new.csv", "other,length\nx,7.5\n")
    found = load_more(data, reading, "new.csv", labeled=False, base_dir=tmp_path)
    assert found.inputs[""].tolist() == [[7.5]] and found.targets == {}


def test_evaluating_keeps_the_classes(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", IRIS)
    data = spec(source="a.csv", target="kind")
    reading = kept(load(data, tmp_path).reading)
    write(tmp_path, "new.csv", "kind,length,width\nb,1,2\n")
    found = load_more(data, reading, "new.csv", base_dir=tmp_path)
    assert found.targets[""].values.tolist() == [1]
    assert found.targets[""].classes == ("a", "b")
    with pytest.raises(DataError, match="no column kind, which a.csv has"):
        write(tmp_path, "bad.csv", "length,width\n1,2\n")
        load_more(data, reading, "bad.csv", base_dir=tmp_path)


def test_evaluating_what_a_formula_made_on_a_file(tmp_path: Path) -> None:
    data = spec(source={"generate": "xor", "samples": 8})
    reading = kept(load(data, tmp_path).reading)
    np.savez(tmp_path / "a.npz", x=np.zeros((2, 2)), y=np.array([1, 0]))
    found = load_more(data, reading, "./a.npz", base_dir=tmp_path)
    assert found.targets[""].values.tolist() == [1, 0]


def test_a_bundled_set_on_itself() -> None:
    data = spec(source="digits")
    whole = load(data, Path())
    again = load_more(data, kept(whole.reading), "digits")
    assert again.fingerprint == whole.fingerprint


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
def test_images_given_otherwise_mean_the_same(dtype: str, tmp_path: Path) -> None:
    """Digits are read as fractions; the same pictures as bytes have to become fractions too."""
    data = spec(source="digits")
    digits = load(data, Path())
    pixels = digits.inputs[""][:5]
    pixels = np.rint(255 * pixels) if dtype == "uint8" else pixels
    np.savez(tmp_path / "a.npz", x=pixels.astype(dtype), y=digits.targets[""].values[:5])
    found = load_more(data, kept(digits.reading), "./a.npz", base_dir=tmp_path)
    assert found.inputs[""].dtype == np.float32
    assert np.allclose(found.inputs[""], digits.inputs[""][:5], atol=0.5 / 255)
    assert np.array_equal(found.targets[""].values, digits.targets[""].values[:5])


def test_predicting_on_files_of_every_sort(tmp_path: Path) -> None:
    data = spec(source={"generate": "shapes", "samples": 8})
    made = load(data, tmp_path)
    images = made.inputs[""]
    np.savez(tmp_path / "a.npz", x=images)
    np.savez(tmp_path / "b.npz", pictures=images[..., 0])
    np.save(tmp_path / "a.npy", images)
    (tmp_path / "a-images.idx").write_bytes(idx(images[..., 0]))
    for name in ("a.npz", "b.npz", "a.npy", "a-images.idx"):
        found = load_more(data, kept(made.reading), name, labeled=False, base_dir=tmp_path)
        assert np.array_equal(found.inputs[""], images) and found.targets == {}


def test_predicting_points_of_a_formula_from_a_table(tmp_path: Path) -> None:
    data = spec(source={"generate": "xor", "samples": 8})
    reading = kept(load(data, tmp_path).reading)
    write(tmp_path, "a.csv", "a,b\n0.5,1\n")
    found = load_more(data, reading, "a.csv", labeled=False, base_dir=tmp_path)
    assert found.inputs[""].tolist() == [[0.5, 1]]


def small(**changes: object) -> Dataset:
    target = Target("class", np.array([0, 1, 0]), ("a", "b"))
    made = Dataset({"": np.arange(6.0).reshape(3, 2)}, {"": target})
    return replace(made, **changes)  # type: ignore[arg-type]


def known(symbols: str) -> Reading:
    return Reading("x", "text", None, {}, {}, {}, {}, {"": Vocabulary("character", tuple(symbols))})


X = np.arange(6.0).reshape(3, 2)
CHANGES: dict[str, Callable[[], Dataset]] = {
    "a number": lambda: small(inputs={"": X + [[0, 0], [0, 1e-15], [0, 0]]}),
    "the dtype": lambda: small(inputs={"": X.astype("float32")}),
    "the shape": lambda: small(inputs={"": X.reshape(3, 2, 1)}),
    "the name of an input": lambda: small(inputs={"left": X}),
    "a label": lambda: small(targets={"": Target("class", np.array([0, 1, 1]), ("a", "b"))}),
    "a class name": lambda: small(targets={"": Target("class", np.array([0, 1, 0]), ("a", "c"))}),
    "a group": lambda: small(columns={"group": np.array(["x", "y", "z"])}),
    "lengths": lambda: small(lengths={"": np.array([1, 2, 2])}),
    "other lengths": lambda: small(lengths={"": np.array([1, 2, 1])}),
    "symbols": lambda: small(reading=known("ab")),
    "other symbols": lambda: small(reading=known("ac")),
    "a test set": lambda: small(test=small(fingerprint="f")),
    "a validation set": lambda: small(validation=small(fingerprint="f")),
}


def test_fingerprints_differ_for_every_change() -> None:
    found = {name: fingerprint(change()) for name, change in CHANGES.items()}
    found["nothing"] = fingerprint(small())
    assert len(set(found.values())) == len(found)


def test_fingerprints_do_not_depend_on_paths_or_memory(tmp_path: Path) -> None:
    inputs = {"": np.asfortranarray(X)}
    assert fingerprint(small(inputs=inputs, name="other")) == fingerprint(small())
    big = {"": X.astype(">f8")}
    assert fingerprint(small(inputs=big)) == fingerprint(small())
    (tmp_path / "deep").mkdir()
    write(tmp_path, "a.csv", IRIS)
    write(tmp_path / "deep", "b.csv.gz", IRIS)
    first = load(spec(source="a.csv", target="kind"), tmp_path)
    second = load(spec(source="deep/b.csv.gz", target="kind"), tmp_path)
    assert first.fingerprint == second.fingerprint


def test_a_known_fingerprint() -> None:
    """The fingerprint is part of the checkpoint format."""
    assert fingerprint(small()) == KNOWN


KNOWN = "a4a8768ad0f5a8d041036fd209accb67ddb35807b536d60356a981297ee584e7"


def test_orders_are_permutations_and_differ_by_epoch_and_seed() -> None:
    found = [order(seed, epoch, 50) for seed in (0, 1) for epoch in (0, 1, 2)]
    assert all(sorted(each.tolist()) == list(range(50)) for each in found)
    assert len({each.tobytes() for each in found}) == 6
    assert np.array_equal(order(0, 2, 50), found[2])
    assert found[0].dtype == np.int64


def test_no_shuffle_is_the_order_of_the_file() -> None:
    assert order(5, 3, 4, shuffle=False).tolist() == [0, 1, 2, 3]


def test_the_package_offers_functions_under_any_order_of_imports() -> None:
    for name in nnctl.data.__all__:
        assert f"nnctl.data.{name}" not in sys.modules
        assert callable(getattr(nnctl.data, name))
    with pytest.raises(AttributeError):
        _ = nnctl.data.nonsense
