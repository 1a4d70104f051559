"""The bundled sets hold what their publishers say, and say where they are from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnctl.data import bundled, load
from nnctl.errors import DataError
from tests.data.helpers import spec

HERE = Path()
ROOT = Path(bundled.__file__).parents[2] / "datasets"

# Published with the data: number of samples, shape, samples of each class, means of some columns.
FACTS = {
    "digits": (1797, (8, 8, 1), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    "iris": (150, (4,), [50, 50, 50]),
    "wine": (178, (13,), [59, 71, 48]),
    "breast_cancer": (569, (30,), [357, 212]),
    "diabetes": (442, (10,), None),
    "sunspots": (309, (1,), None),
}


def test_the_sets_are_found_without_a_list() -> None:
    tables = [name for name in bundled.folders() if not bundled.is_text(name)]
    assert sorted(tables) == sorted(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_samples_shape_and_classes(name: str) -> None:
    samples, shape, counts = FACTS[name]
    data = load(spec(source=name), HERE)
    assert data.inputs[""].shape == (samples, *shape)
    target = data.targets[""]
    if counts is None:
        assert target.kind == "number" and target.values.shape == (samples, 1)
    else:
        assert np.bincount(target.values).tolist() == counts


def test_digits_are_sixteenths() -> None:
    data = load(spec(source="digits"), HERE)
    pixels = data.inputs[""] * 16
    assert data.inputs[""].dtype == np.float32
    assert pixels.min() == 0 and pixels.max() == 16 and np.array_equal(pixels, np.rint(pixels))
    assert pixels.sum(dtype=np.float64) == 561718
    # The first digit of the file is a zero, row by row.
    assert data.targets[""].values[0] == 0
    assert pixels[0, 0, :, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert pixels[0, 7, :, 0].tolist() == [0, 0, 6, 13, 10, 0, 0, 0]


def test_iris_means_are_those_of_the_publication() -> None:
    data = load(spec(source="iris"), HERE)
    assert np.allclose(data.inputs[""].mean(axis=0), [5.84, 3.06, 3.76, 1.20], atol=0.005)
    assert data.targets[""].classes == ("setosa", "versicolor", "virginica")


def test_diabetes_is_raw() -> None:
    data = load(spec(source="diabetes"), HERE)
    assert data.inputs[""][0].tolist() == [59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]
    assert data.targets[""].values[0, 0] == 151
    assert data.targets[""].values.mean() == pytest.approx(152.1335, abs=1e-4)


@pytest.mark.parametrize("name", bundled.folders())
def test_each_set_states_origin_licence_and_changes(name: str) -> None:
    text = (ROOT / name / "README.md").read_text()
    assert all(word in text for word in ("- Origin:", "- Licence:", "- Changes made:"))


@pytest.mark.parametrize("name", FACTS)
def test_the_card_agrees_with_the_data(name: str) -> None:
    card = bundled.card(name)
    data = load(spec(source=name), HERE)
    assert card.samples == data.samples and card.description
    assert card.classes == data.targets[""].classes


def test_features_of_an_image_are_a_table() -> None:
    data = load(spec(source="digits", features=["row3_col*"]), HERE)
    assert data.inputs[""].shape == (1797, 8)
    whole = load(spec(source="digits"), HERE).inputs[""]
    assert np.array_equal(data.inputs[""], whole[:, 3, :, 0])


def test_another_column_can_be_the_target() -> None:
    data = load(spec(source="iris", target="petal_width", features=["sepal_*"]), HERE)
    assert data.targets[""].kind == "number"
    assert data.inputs[""].shape == (150, 2)
    keys = {"target": "petal_width", "features": ["sepal_*"], "task": "classification"}
    classes = load(spec(source="iris", **keys), HERE).targets[""].classes
    assert classes is not None and classes[:2] == ("0.1", "0.2") and len(classes) == 22


def test_the_package_comes_before_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "wheel"
    (wheel / "own").mkdir(parents=True)
    (wheel / "own" / "dataset.toml").write_text("")
    monkeypatch.setattr(bundled, "_PLACES", (wheel, ROOT))
    assert list(bundled.folders()) == ["own"]
    monkeypatch.setattr(bundled, "_PLACES", (tmp_path / "none", ROOT))
    assert "digits" in bundled.folders()


def test_a_changed_bundled_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "iris"
    folder.mkdir()
    (folder / "dataset.toml").write_text((ROOT / "iris" / "dataset.toml").read_text())
    rows = (ROOT / "iris" / "iris.csv").read_text().splitlines()
    (folder / "iris.csv").write_text("\n".join(rows[:-1]))
    monkeypatch.setattr(bundled, "_PLACES", (tmp_path,))
    with pytest.raises(DataError, match="149 rows, expected 150"):
        load(spec(source="iris"), HERE)
