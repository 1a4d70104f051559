"""Normalization: fitted on the training part alone, in the units the network sees."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import Normalizer, fit_normalizer, load, split
from nnctl.data.dataset import Dataset, Part, Target
from nnctl.errors import DataError
from tests.data.helpers import spec


def part(inputs: np.ndarray, targets: np.ndarray | None = None) -> Part:
    index = np.arange(len(inputs))
    return Part({"": inputs}, {"": index if targets is None else targets}, index)


def fit(inputs: np.ndarray, method: str = "standard") -> tuple[np.ndarray, np.ndarray]:
    pair = fit_normalizer(spec(source="x", normalize=method), part(inputs)).inputs[""]
    assert pair is not None
    return pair


def by_hand(column: list[float]) -> tuple[float, float]:
    """Return mean and 1 / deviation, summed exactly."""
    mean = math.fsum(column) / len(column)
    variance = math.fsum((value - mean) ** 2 for value in column) / len(column)
    return mean, 1 / math.sqrt(variance)


def test_standard_against_exact_sums() -> None:
    values = np.random.default_rng(0).normal(3, 7, (10_000, 3)) * [1, 1e-6, 1e6]
    mean, scale = fit(values)
    for column in range(3):
        expected = by_hand(values[:, column].tolist())
        assert mean[column] == pytest.approx(expected[0], rel=1e-12)
        assert scale[column] == pytest.approx(expected[1], rel=1e-12)
    assert mean.dtype == scale.dtype == np.float64


def test_minmax_by_hand() -> None:
    mean, scale = fit(np.array([[1.0, -4], [3, 4], [2, 0]]), "minmax")
    assert mean.tolist() == [1, -4] and scale.tolist() == [0.5, 0.125]


@pytest.mark.parametrize("method", ["standard", "minmax"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 + 0.1, -3e-200])
def test_what_does_not_vary_has_scale_1_and_becomes_0(method: str, value: float) -> None:
    # 0.1 summed and divided is not 0.1: a deviation of rounding must not blow up.
    values = np.full((1237, 1), value)
    mean, scale = fit(values, method)
    assert scale.tolist() == [1.0]
    assert np.all((values - mean) * scale == 0)


def test_images_by_channel_in_255ths() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (50, 4, 5, 3), dtype=np.uint8)
    mean, scale = fit(pixels)
    unit = pixels.reshape(-1, 3) / 255
    assert mean.shape == (3,)
    assert np.allclose(mean, unit.mean(axis=0), rtol=1e-12)
    assert np.allclose(scale, 1 / unit.std(axis=0), rtol=1e-12)


def test_sequences_by_feature() -> None:
    values = np.random.default_rng(2).normal(size=(20, 7, 2))
    mean, _ = fit(values)
    assert np.allclose(mean, values.mean(axis=(0, 1)))


def test_float32_is_summed_in_float64() -> None:
    # A float32 sum would stop at 2**24.
    values = np.ones((2**24 + 64, 1), np.float32)
    values[0] = 0
    mean, _ = fit(values)
    assert mean[0] == pytest.approx(1 - 1 / len(values), rel=1e-15)


def outliers(test: bool) -> tuple[Dataset, Any]:
    """Return a dataset, and its spec, with huge values in all rows of the test part."""
    data = spec(source="x", normalize="standard", normalize_target=True, split={"validation": 0.2})
    values = np.random.default_rng(3).normal(size=(40, 3))
    numbers = values.sum(axis=1, keepdims=True)
    plain = Dataset({"": values}, {"": Target("number", numbers)})
    found = split(plain, data)
    assert found.test is not None and found.validation is not None
    hit = (found.test if test else found.train).index
    shifted, moved = values.copy(), numbers.copy()
    shifted[hit] += 1e6
    moved[hit] -= 1e6
    if test:
        shifted[found.validation.index] -= 1e7
    return Dataset({"": shifted}, {"": Target("number", moved)}), data


def test_unseen_rows_move_nothing() -> None:
    plain = np.random.default_rng(3).normal(size=(40, 3))
    data_plain = Dataset({"": plain}, {"": Target("number", plain.sum(axis=1, keepdims=True))})
    shifted, data = outliers(test=True)
    expected = fit_normalizer(data, split(data_plain, data).train).tensors()
    found = fit_normalizer(data, split(shifted, data).train).tensors()
    assert expected.keys() == found.keys() and len(found) == 4
    assert all(np.array_equal(expected[key], found[key]) for key in found)


def test_the_leakage_test_can_fail() -> None:
    shifted, data = outliers(test=False)
    found = fit_normalizer(data, split(shifted, data).train)
    assert found.inputs[""] is not None and found.inputs[""][0].min() > 1e5
    assert found.targets[""] is not None and found.targets[""][0].max() < -1e5


def test_only_what_is_asked_for() -> None:
    numbers = part(np.ones((4, 2)), np.ones((4, 1)))
    assert fit_normalizer(spec(source="x"), numbers).tensors() == {}
    classes = part(np.eye(4))
    asked = spec(source="x", normalize_target=True)
    assert fit_normalizer(asked, classes).tensors() == {}


def test_tensors_and_back() -> None:
    pair = (np.array([1.0, 2]), np.array([3.0, 4]))
    made = Normalizer({"": pair, "left": pair, "right": None}, {"": pair, "out.put": pair})
    tensors = made.tensors()
    assert sorted(tensors) == [
        "normalize/mean",
        "normalize/mean/left",
        "normalize/scale",
        "normalize/scale/left",
        "target/mean",
        "target/mean/out.put",
        "target/scale",
        "target/scale/out.put",
    ]
    back = Normalizer.from_tensors({**tensors, "param/dense_1.w": pair[0]})
    assert sorted(back.inputs) == ["", "left"] and sorted(back.targets) == ["", "out.put"]
    assert all(np.array_equal(back.tensors()[key], tensors[key]) for key in tensors)


def test_too_large_numbers_are_refused() -> None:
    values = np.array([[0.0, 1e200], [1.0, -1e200]])
    with pytest.raises(DataError) as found:
        fit(values)
    assert str(found.value) == (
        "the input is too large to be normalized in feature 1\n"
        "  bring the values below 1e150, e.g. in other units"
    )


def test_the_same_twice_and_in_any_memory_order() -> None:
    values = np.random.default_rng(5).normal(size=(9000, 4))
    first = fit(values)
    assert all(np.array_equal(a, b) for a, b in zip(first, fit(values.copy()), strict=True))


def test_a_real_set_ends_with_mean_0_and_deviation_1() -> None:
    data = spec(source="wine", normalize="standard")
    train = split(load(data, Path()), data).train
    pair = fit_normalizer(data, train).inputs[""]
    assert pair is not None
    seen = (train.inputs[""] - pair[0]) * pair[1]
    assert np.allclose(seen.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(seen.std(axis=0), 1, atol=1e-12)
