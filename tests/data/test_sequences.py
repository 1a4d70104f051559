"""Targets over steps and inputs of tokens: the header, the arrays, the parts, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import fit_normalizer, load, load_more, split
from nnctl.data.dataset import gather
from nnctl.data.fingerprint import fingerprint
from nnctl.data.header import inspect
from nnctl.data.reading import Reading
from nnctl.errors import DataError
from nnctl.run.prepare import info_of
from nnctl.spec.info import TargetInfo
from tests.data import helpers
from tests.data.helpers import spec

TOKENS = np.array([[0, 4, 2], [1, 1, 3], [2, 0, 0], [3, 3, 1]])
LABELS = np.array([[1, 2, -1], [0, -1, -1], [2, 2, 0], [1, 0, 0]])
SERIES = np.linspace(0, 1, 24).reshape(4, 3, 2)
NUMBERS = np.arange(12.0).reshape(4, 3, 1)
CLASSES = TargetInfo("class", 3, ("0", "1", "2"), 3)


def written(folder: Path, x: Any, y: Any, name: str = "a.npz") -> Any:
    np.savez(folder / name, x=x, y=y)
    return spec(source=name)


@pytest.mark.parametrize("kind", ["int64", "int8", ">i4", "uint16"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_labels_of_steps_beside_tokens(kind: str, order: str, tmp_path: Path) -> None:
    labels = np.maximum(LABELS, 0) if kind == "uint16" else LABELS
    data = written(tmp_path, TOKENS.astype(kind, order=order), labels.astype(kind, order=order))
    info, made = inspect(data, tmp_path), load(data, tmp_path)
    assert info.targets[""] == CLASSES
    assert info.vocabularies == {"": 5} and info.inputs[""] == (3,)
    assert helpers.info_of(made, info.columns, info.files) == info
    assert info_of(made).targets == info.targets
    assert info_of(made).vocabularies == info.vocabularies
    assert np.array_equal(made.targets[""].values, labels)
    assert np.array_equal(made.inputs[""], TOKENS) and made.inputs[""].dtype == np.int64


def test_negative_numbers_are_no_tokens(tmp_path: Path) -> None:
    data = written(tmp_path, TOKENS - 1, LABELS)
    assert inspect(data, tmp_path).vocabularies == {}
    assert info_of(load(data, tmp_path)).vocabularies == {}


def test_numbers_of_steps_may_have_holes(tmp_path: Path) -> None:
    holes = NUMBERS.copy()
    holes[1, 2] = np.nan
    data = written(tmp_path, SERIES, holes)
    info, made = inspect(data, tmp_path), load(data, tmp_path)
    assert info.targets[""] == TargetInfo("number", 1, None, 3)
    assert helpers.info_of(made, info.columns, info.files) == info
    assert np.array_equal(made.targets[""].values, holes, equal_nan=True)
    holes[0, 0] = np.inf
    with pytest.raises(DataError, match="sample 0 holds inf"):
        load(written(tmp_path, SERIES, holes), tmp_path)
    with pytest.raises(DataError, match="sample 1 holds nan"):  # an input has none
        bad = np.where(SERIES[1, 0, 0] == SERIES, np.nan, SERIES)
        load(written(tmp_path, bad, NUMBERS), tmp_path)


def test_what_is_no_target_over_steps(tmp_path: Path) -> None:
    """Other lengths than the input's, numbers below -1, and a task that says so."""
    other = written(tmp_path, SERIES, np.ones((4, 2)))
    assert inspect(other, tmp_path).targets[""].steps is None
    assert inspect(written(tmp_path, SERIES, LABELS - 1), tmp_path).targets[""].steps is None
    data = written(tmp_path, TOKENS, LABELS)
    plain = data.model_copy(update={"task": "regression"})
    assert inspect(plain, tmp_path).targets[""] == TargetInfo("number", 3)
    assert load(plain, tmp_path).targets[""].values.shape == (4, 3)
    with pytest.raises(DataError, match="has not two classes: its labels are -1 to 0"):
        inspect(written(tmp_path, TOKENS, np.minimum(LABELS, 0)), tmp_path)
    data = written(tmp_path, TOKENS, np.where(LABELS == 2, -7, LABELS))
    with pytest.raises(DataError, match='sample 0: label -7 of "y" at step'):
        inspect(data.model_copy(update={"task": "classification"}), tmp_path)


def test_labels_of_another_file_are_held_against_the_classes(tmp_path: Path) -> None:
    written(tmp_path, TOKENS, LABELS + (LABELS == 2), "test.npz")
    data = written(tmp_path, TOKENS, LABELS).model_copy(update={"test": "test.npz"})
    for read in (inspect, load):
        with pytest.raises(DataError) as caught:
            read(data, tmp_path)
        (problem,) = caught.value.problems
        assert problem.file.endswith("test.npz")
        said = 'sample 0: label 3 of "y" at step 1 is none of 3 classes'
        assert problem.message == said


def test_parts_and_fingerprints(tmp_path: Path) -> None:
    data = written(tmp_path, TOKENS, LABELS)
    made = load(data, tmp_path)
    parts = split(made, data)
    assert parts.test is not None
    assert np.array_equal(parts.test.targets[""], LABELS[parts.test.index])
    lengths = {"": np.array([3, 1, 2, 3])}
    longer = made.__class__(made.inputs, made.targets, lengths=lengths)
    assert gather(longer, np.array([2, 0])).lengths[""].tolist() == [2, 3]
    assert fingerprint(longer) != fingerprint(made)
    again = load(written(tmp_path, TOKENS, LABELS, "b.npz"), tmp_path)
    assert again.fingerprint == made.fingerprint


def test_reading_travels_and_reads_alike(tmp_path: Path) -> None:
    data = written(tmp_path, TOKENS, LABELS)
    reading = load(data, tmp_path).reading
    assert reading is not None
    kept = Reading.from_json(reading.to_json())
    assert kept == reading and kept.vocabulary_sizes == {"": 5}
    written(tmp_path, TOKENS, LABELS, "more.npz")
    more = load_more(data, kept, "./more.npz", base_dir=tmp_path)
    assert np.array_equal(more.targets[""].values, LABELS)
    np.savez(tmp_path / "x.npz", x=TOKENS)
    assert load_more(data, kept, "./x.npz", labeled=False, base_dir=tmp_path).targets == {}


def test_targets_are_scaled_by_the_steps_that_count(tmp_path: Path) -> None:
    holes = NUMBERS.copy()
    holes[:, 0] = np.nan
    data = written(tmp_path, SERIES, holes).model_copy(update={"normalize_target": True})
    made = load(data, tmp_path)
    found = fit_normalizer(data, gather(made, np.arange(4))).targets[""]
    assert found is not None
    assert found[0] == pytest.approx([NUMBERS[:, 1:].mean()])
    assert found[1] == pytest.approx([1 / NUMBERS[:, 1:].std()])
    labels = written(tmp_path, TOKENS, LABELS).model_copy(update={"normalize_target": True})
    part = gather(load(labels, tmp_path), np.arange(4))
    assert fit_normalizer(labels, part).targets[""] is None
