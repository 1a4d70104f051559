"""Generators: what they say they make, the same for the same seed, and learnable by design."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import load
from nnctl.data.dataset import Dataset
from nnctl.data.generators import blobs, shapes
from nnctl.data.generators.shapes import FIGURES
from nnctl.errors import SpecError
from nnctl.spec import load_spec_text
from nnctl.spec.generators.dates import FORMATS, Dates, written
from nnctl.spec.generators.shapes import KINDS
from nnctl.spec.registry import tags
from tests.data.helpers import spec


def make(**keys: Any) -> tuple[np.ndarray, np.ndarray]:
    data = load(spec(source=keys), Path())
    return data.inputs[""], data.targets[""].values


def test_every_generator_of_the_spec_is_there() -> None:
    for tag in tags("generators"):
        inputs, labels = make(generate=tag, samples=40)
        assert len(inputs) == len(labels) == 40


@pytest.mark.parametrize("tag", tags("generators"))
def test_a_seed_is_a_dataset(tag: str) -> None:
    first = load(spec(source={"generate": tag, "samples": 40, "seed": 1}), Path())
    again = load(spec(source={"generate": tag, "samples": 40, "seed": 1}), Path())
    other = load(spec(source={"generate": tag, "samples": 40, "seed": 2}), Path())
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_xor_without_noise_is_the_truth_table() -> None:
    points, labels = make(generate="xor", samples=8, noise=0.0)
    assert points.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]] * 2
    assert labels.tolist() == [0, 1, 1, 0] * 2


def test_xor_noise_has_the_deviation_asked_for() -> None:
    points, _ = make(generate="xor", samples=20_000, noise=0.2)
    assert (points - np.rint(points.clip(0, 1))).std() == pytest.approx(0.2, rel=0.05)
    corner = np.arange(20_000) % 4
    noise = points - np.stack([corner // 2, corner % 2], axis=1)
    assert noise.std() == pytest.approx(0.2, rel=0.02)
    assert abs(noise.mean()) < 0.005


def test_spirals_without_noise_lie_on_their_arms() -> None:
    points, arm = make(generate="spirals", samples=300, classes=3, turns=1.5, noise=0.0)
    radius = np.hypot(points[:, 0], points[:, 1])
    assert radius.min() > 0 and radius.max() <= 1
    turn = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi)
    off = turn - 1.5 * radius - arm / 3
    assert np.allclose(off, np.rint(off), atol=1e-9)
    assert np.bincount(arm).tolist() == [100, 100, 100]


def test_blobs_have_the_deviations_asked_for() -> None:
    keys = {"features": 500, "classes": 4, "spread": 2.0, "noise": 0.5}
    points, cloud = make(generate="blobs", samples=400, **keys)
    assert points.shape == (400, 500) and points.dtype == np.float32
    assert np.bincount(cloud).tolist() == [100] * 4
    centers = np.stack([points[cloud == k].mean(axis=0) for k in range(4)])
    assert (points - centers[cloud]).std() == pytest.approx(0.5, rel=0.02)
    assert centers.std() == pytest.approx(2.0, rel=0.05)
    assert abs(np.corrcoef(centers)[np.triu_indices(4, 1)]).max() < 0.2


def test_blobs_without_noise_are_their_centers() -> None:
    points, cloud = make(generate="blobs", samples=30, features=3, classes=5, noise=0.0)
    assert len(np.unique(points, axis=0)) == 5
    assert all((points[cloud == k] == points[k]).all() for k in range(5))


@pytest.mark.parametrize("size", [(8, 8, 1), (16, 24, 3), (36, 36, 3), (9, 15, 4)])
def test_shapes_of_any_size(size: tuple[int, int, int]) -> None:
    height, width, channels = size
    keys = {"height": height, "width": width, "channels": channels}
    images, labels = make(generate="shapes", samples=12, classes=6, **keys)
    assert images.shape == (12, *size) and images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [2] * 6


def test_shapes_have_the_areas_of_their_figures() -> None:
    """Without noise an image has two colors, and the figure's area is known from geometry."""
    side = 128
    keys = {"height": side, "width": side, "classes": 6, "noise": 0.0}
    images, labels = make(generate="shapes", samples=60, **keys)
    areas = {
        "circle": np.pi,
        "square": 1.7**2,
        "triangle": 2.0,
        "cross": 2.04,
        "ring": 0.7 * np.pi,
        "bar": 1.2,
    }
    # Height of each figure in radii, to find the radius from the picture.
    heights = {"circle": 2, "square": 1.7, "triangle": 2, "cross": 2, "ring": 2, "bar": 0.6}
    for image, label in zip(images[..., 0], labels, strict=True):
        colors = np.unique(image)
        assert len(colors) == 2
        figure = image == colors[1]
        kind = KINDS[label]
        radius = figure.any(axis=1).sum() / heights[kind]
        assert figure.sum() / radius**2 == pytest.approx(areas[kind], rel=0.12), kind


def test_the_spec_names_the_figures() -> None:
    assert list(FIGURES) == KINDS


def test_shapes_noise() -> None:
    images, _ = make(generate="shapes", samples=40, height=64, width=64, noise=0.05)
    corner = images[:, :8, :8, 0].reshape(40, -1) / 255
    spread = np.median(corner.std(axis=1))
    assert 0.03 < spread < 0.06  # less than 0.05 where the ground is near 0 and clipped


def test_large_sets_are_made_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "_PORTION", 3 * 64)
    images, labels = make(generate="shapes", samples=20, height=8, width=8)
    assert len({image.tobytes() for image in images}) == 20
    assert labels.tolist() == [0, 1, 2, 3] * 5


def test_blobs_are_the_same_in_portions_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = make(generate="blobs", samples=40, features=7)
    monkeypatch.setattr(blobs, "_PORTION", 21)
    assert (make(generate="blobs", samples=40, features=7)[0] == whole).all()


def texts(dataset: Dataset) -> list[tuple[str, str]]:
    """Return what goes in and what is asked for, without the stop."""
    reading = dataset.reading
    assert reading is not None
    known, said = reading.vocabularies[""], reading.answers[""]
    targets = dataset.targets[""].values
    lengths = dataset.lengths.get("", np.full(len(targets), dataset.inputs[""].shape[1]))
    rows = zip(dataset.inputs[""], targets, lengths, strict=True)
    return [(known.text(x[:n]), said.text(y[y >= 0])) for x, y, n in rows]


@pytest.mark.parametrize("tag", ["copy", "reverse"])
def test_copies_and_reversals(tag: str) -> None:
    keys = {"generate": tag, "samples": 300, "length": 6, "shortest": 3, "alphabet": 3}
    data = load(spec(source=keys), Path())
    assert all(y == (x if tag == "copy" else x[::-1]) for x, y in texts(data))
    lengths = data.lengths[""]
    assert set(lengths) == {3, 4, 5, 6} and set("".join(x for x, _ in texts(data))) == set("abc")
    targets, inputs = data.targets[""].values, data.inputs[""]
    assert targets.shape == (300, 7) and data.targets[""].classes == ("<start>", "<stop>", *"abc")
    for row, (x, y) in enumerate(zip(inputs, targets, strict=True)):
        assert not x[lengths[row] :].any() and (y[lengths[row] + 1 :] == -1).all()
        assert y[lengths[row]] == 1 and (y[: lengths[row]] > 1).all()


def test_sequences_of_one_length_have_no_lengths() -> None:
    assert not load(spec(source={"generate": "copy", "samples": 8}), Path()).lengths


def test_dates_mean_what_they_say() -> None:
    data = load(spec(source={"generate": "dates", "samples": 2000}), Path())
    pairs = texts(data)
    forms = ("%d %B %Y", "%B %d, %Y", "%d. %B %Y", "%A, %B %d, %Y", "%A, %d %B %Y", "%b %d %Y")
    forms += ("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%a, %d %b %Y", "%d/%m/%Y", "%d.%m.%Y")
    forms += ("%Y/%m/%d", "%Y %B %d", "%Y%m%d", "the %d of %B, %Y", "%d of %B %Y")
    for text, iso in pairs:
        plain = re.sub(r"(?<=\d)(st|nd|rd|th)\b", "", text)
        found = set()
        for form in forms:
            with contextlib.suppress(ValueError):
                day = datetime.strptime(plain, form)
                found.add(day.strftime("%Y-%m-%d"))
                if "%A" in form or "%a" in form:
                    assert day.strftime("%A").startswith(plain.split(",")[0])
        assert found == {iso}, text
    assert len({re.sub(r"[A-Za-z]+", "w", re.sub(r"\d+", "9", text)) for text, _ in pairs}) > 10
    assert any("1st" in text for text, _ in pairs) and any("11th" in text for text, _ in pairs)
    assert max(data.lengths[""]) <= data.inputs[""].shape[1]


def test_the_longest_date_fits_exactly() -> None:
    longest = Dates(generate="dates").shape()[0]
    weekdays = range(7)
    every = [written(f, 2026, m, d, w) for f in range(len(FORMATS)) for m in range(1, 13)
             for d in (1, 2, 3, 11, 30) for w in weekdays]  # fmt: skip
    assert max(map(len, every)) == longest
    assert set("".join(every)) <= set(Dates(generate="dates").symbols())


def test_adding_marks_two_numbers_and_asks_for_their_sum() -> None:
    pairs, sums = make(generate="adding", samples=4000, length=11)
    assert pairs.shape == (4000, 11, 2) and sums.shape == (4000, 1)
    marks = pairs[:, :, 1]
    assert set(marks.ravel()) == {0, 1}
    assert (marks[:, :5].sum(axis=1) == 1).all() and (marks[:, 5:].sum(axis=1) == 1).all()
    assert np.allclose((pairs[:, :, 0] * marks).sum(axis=1), sums[:, 0])
    assert ((sums - 1) ** 2).mean() == pytest.approx(1 / 6, rel=0.1)
    assert (marks.sum(axis=0) > 0).all()


def test_ringdown_goes_on_until_it_has_died_away() -> None:
    seen, after = make(generate="ringdown", samples=500, length=9, longest=14, shortest=3)
    assert seen.shape == (500, 9, 1) and after.shape == (500, 14, 1)
    ends = (~np.isnan(after[:, :, 0])).sum(axis=1)
    assert set(ends) == set(range(3, 15))
    assert all(np.isnan(row[end:]).all() for row, end in zip(after[:, :, 0], ends, strict=True))
    # x(t+1) = p x(t) - q x(t-1): what the first steps say of p and q holds for those that follow
    for row, end in zip(np.concatenate([seen, after], axis=1)[:, :, 0], ends, strict=True):
        whole = row[: 9 + end].astype(np.float64)
        table = np.stack([whole[1:-1], whole[:-2]], axis=1)
        (p, q), *_ = np.linalg.lstsq(table[:7], whole[2:9], rcond=None)
        assert np.allclose(table @ [p, q], whole[2:], atol=1e-3)
        first = np.sqrt(-q) ** (9 + end)  # the amplitude falls by the root of -q a step
        assert 0.5 * first <= 0.1001 and first >= 0.0999


def test_tokens_of_a_generator_are_not_scaled() -> None:
    for keys in ({"normalize": "standard"}, {"target": "@input"}):
        with pytest.raises(SpecError):
            load(spec(source={"generate": "copy"}, **keys), Path())


def test_columns_of_a_generator_are_refused() -> None:
    keys = {"generate": "xor", "samples": 10}
    with pytest.raises(SpecError) as found:
        load(spec(source=keys, split={"group": "who"}, test="t.csv"), Path())
    assert str(found.value) == (
        "data.split.group: has no effect: generated data have no columns\n  remove it\n"
        "data.test: has no effect: generated data are split, not joined with files\n"
        "  remove it, and set data.split"
    )


def test_copies_are_the_tokens_some_steps_before() -> None:
    tokens, labels = make(generate="echo", samples=50, steps=9, tokens=5, delay=2)
    assert tokens.dtype == np.int64 and set(tokens.ravel()) == set(range(5))
    for row, classes in zip(tokens.tolist(), labels.tolist(), strict=True):
        assert classes == [-1, -1, *row[:-2]]
    with pytest.raises(SpecError, match="expected less than steps = 9, given 9"):
        load_spec_text(
            '[data]\nsource = { generate = "echo", steps = 9, delay = 9 }\n'
            '[[layers]]\ntype = "flatten"\n[loss]\ntype = "mse"\n',
            "echo.toml",
        )
