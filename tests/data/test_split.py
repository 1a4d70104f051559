"""Splits: disjoint, complete, seeded, stratified, whole groups, no look into the future."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnctl.data import split
from nnctl.data.dataset import Dataset, Splits, Target
from nnctl.data.splitting import apportion, share
from nnctl.errors import DataError, Problem
from tests.data.helpers import spec

SETTINGS = settings(max_examples=60, deadline=None)


def dataset(labels: list[int] | None = None, count: int = 0, **columns: list[Any]) -> Dataset:
    """Return samples whose only feature is their row number."""
    count = len(labels) if labels is not None else count or len(next(iter(columns.values())))
    rows = np.arange(count, dtype=np.float64).reshape(-1, 1)
    if labels is None:
        target = Target("number", rows)
    else:
        names = tuple(map(str, range(max(labels) + 1)))
        target = Target("class", np.array(labels, np.int64), names)
    arrays = {key: np.array(values) for key, values in columns.items()}
    return Dataset({"": rows}, {"": target}, arrays)


def parts(data: Dataset, limit: int | None = None, **asked: Any) -> Splits:
    return split(data, spec(source="x", split=asked, limit=limit))


def rows(found: Splits) -> list[list[int]]:
    """Return the rows of train, validation and test, read from the data themselves."""
    each = []
    for part in (found.train, found.validation, found.test):
        if part is None:
            each.append([])
            continue
        values = part.inputs[""][:, 0].astype(int).tolist()
        assert values == part.index.tolist()
        assert part.inputs[""].flags.c_contiguous
        each.append(values)
    return each


labels_lists = st.lists(st.integers(0, 4), min_size=12, max_size=80)
fractions = st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.5])


@SETTINGS
@given(labels_lists, fractions, fractions, st.integers(0, 5), st.booleans())
def test_parts_are_disjoint_and_complete(
    labels: list[int], test: float, validation: float, seed: int, stratify: bool
) -> None:
    asked = {"train": 1 - test, "test": test, "validation": validation, "seed": seed}
    found = parts(dataset(labels), **asked, stratify=stratify)
    train, carved, unseen = rows(found)
    assert sorted(train + carved + unseen) == list(range(len(labels)))
    assert all(part == sorted(part) for part in (train, carved, unseen))
    rest = len(labels) - len(unseen)
    # Exact sizes unless so many classes of one sample have to stay in training.
    assert len(unseen) <= int(len(labels) * test + 0.5)
    assert len(carved) <= int(rest * validation + 0.5)
    if not stratify:
        assert len(unseen) == int(round(len(labels) * test, 9) + 0.5)
        assert len(carved) == max(1, int(round(rest * validation, 9) + 0.5))


@SETTINGS
@given(labels_lists, fractions, st.integers(0, 5))
def test_every_class_gives_its_share(labels: list[int], test: float, seed: int) -> None:
    train, _, unseen = rows(parts(dataset(labels), train=1 - test, test=test, seed=seed))
    given = np.bincount(labels, minlength=5)
    cut = np.bincount([labels[row] for row in unseen], minlength=5)
    left = np.bincount([labels[row] for row in train], minlength=5)
    held = test * np.sum(given == 1)  # of classes that keep their only sample: others give it
    assert np.all(cut - given * test > -1)
    assert np.all(cut - given * test < 1 + held)
    assert np.all(left[given > 0] >= 1)


@SETTINGS
@given(labels_lists, st.integers(0, 3), st.integers(0, 3))
def test_the_test_part_depends_on_nothing_but_seed_and_labels(
    labels: list[int], seed: int, other: int
) -> None:
    plain = rows(parts(dataset(labels), seed=seed))[2]
    carved = rows(parts(dataset(labels), seed=seed, validation=0.3))[2]
    thinned = rows(parts(dataset(labels), limit=4, seed=seed))[2]
    assert plain == carved == thinned
    if len(labels) > 40 and seed != other:
        assert rows(parts(dataset(labels), seed=other))[2] != plain


def test_a_known_split() -> None:
    """The split of a seed is part of the format: checkpoints and figures depend on it."""
    assert rows(parts(dataset([0, 1] * 8), validation=0.25)) == KNOWN


KNOWN = [[0, 1, 2, 3, 5, 8, 9, 10, 13], [4, 11, 12], [6, 7, 14, 15]]


@SETTINGS
@example([0] * 10 + [1, 2], 0)  # once left a single group for training and validation
@given(st.lists(st.integers(0, 6), min_size=12, max_size=60), st.integers(0, 5))
def test_groups_stay_whole(groups: list[int], seed: int) -> None:
    if len(set(groups)) < 3:
        return
    data = dataset([0, 1] * (len(groups) // 2) + [0] * (len(groups) % 2), group=groups)
    asked = {"group": "g", "validation": 0.3, "seed": seed}
    found = rows(split(data, spec(source="x", split=asked)))
    assert sorted(sum(found, [])) == list(range(len(groups)))
    seen = [{groups[row] for row in part} for part in found]
    assert all(seen)
    assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])
    plain = rows(split(data, spec(source="x", split={"group": "g", "seed": seed})))
    assert plain[2] == found[2]


def test_groups_are_drawn_by_the_seed() -> None:
    data = dataset(count=40, group=[k // 2 for k in range(40)])
    asked = [{"group": "g", "validation": 0.2, "seed": seed} for seed in (0, 1)]
    first, second = (rows(split(data, spec(source="x", split=each))) for each in asked)
    assert first[2] != second[2] and first[1] != second[1]


def test_groups_come_near_their_share() -> None:
    data = dataset(count=400, group=[f"g{k // 4}" for k in range(400)])
    found = split(data, spec(source="x", split={"group": "g"}))
    assert found.test is not None and found.test.samples == 100


@SETTINGS
@given(
    st.lists(st.integers(0, 30), min_size=12, max_size=60),
    st.integers(0, 3),
    st.sampled_from([0.0, 0.25]),
)
def test_training_never_sees_the_future(times: list[int], gap: int, validation: float) -> None:
    data = dataset(count=len(times), order=[float(time) for time in times])
    asked = {"order": "t", "gap": gap, "validation": validation}
    try:
        found = rows(split(data, spec(source="x", split=asked)))
    except DataError:
        return  # too few different times for all parts
    moments = [[times[row] for row in part] for part in found if part]
    for earlier, later in zip(moments, moments[1:], strict=False):
        assert max(earlier) < min(later)
    lost = len(times) - sum(map(len, found))
    assert lost == gap * (len(moments) - 1)


def test_order_of_time_by_hand() -> None:
    data = dataset(count=8, order=[8.0, 7, 6, 5, 4, 3, 2, 1])
    asked = {"order": "t", "gap": 1, "validation": 0.2}
    train, carved, unseen = rows(split(data, spec(source="x", split=asked)))
    # times 1..8: test is 7, 8; 6 is the gap; of 1..5 validation is 5, and 4 the gap
    assert (train, carved, unseen) == ([5, 6, 7], [3], [0, 1])


def test_equal_times_are_not_parted() -> None:
    data = dataset(count=8, order=[1.0, 1, 1, 2, 2, 3, 3, 3])
    train, _, unseen = rows(split(data, spec(source="x", split={"order": "t"})))
    assert (train, unseen) == ([0, 1, 2, 3, 4], [5, 6, 7])


def test_given_files_are_taken_whole() -> None:
    data = dataset([0, 1] * 10)
    other = dataset([0, 1, 1])
    data = Dataset(data.inputs, data.targets, test=other, validation=other)
    train, carved, unseen = rows(parts(data))
    assert (train, carved, unseen) == (list(range(20)), [0, 1, 2], [0, 1, 2])


def test_no_test_part_when_none_is_asked_for() -> None:
    found = parts(dataset([0, 1] * 10), train=1.0, test=0.0)
    assert found.test is None and found.train.samples == 20


@SETTINGS
@given(labels_lists, st.integers(2, 9), st.integers(0, 3))
def test_a_limit_thins_the_training_part_alone(labels: list[int], limit: int, seed: int) -> None:
    full = rows(parts(dataset(labels), seed=seed, validation=0.2))
    thin = rows(parts(dataset(labels), limit=limit, seed=seed, validation=0.2))
    assert thin[1:] == full[1:]
    assert set(thin[0]) <= set(full[0])
    assert len(thin[0]) == min(limit, len(full[0]))


def test_a_limit_keeps_the_latest_of_a_series() -> None:
    data = dataset(count=8, order=[1.0, 2, 3, 4, 5, 6, 7, 8])
    found = split(data, spec(source="x", split={"order": "t"}, limit=2))
    assert found.train.index.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("data", "asked", "text"),
    [
        (
            dataset(count=2),
            {"validation": 0.5},
            "spec.toml:3:9: data.split.validation: validation = 0.5 of 1 sample leaves the"
            " training part empty\n  give more data or another fraction",
        ),
        (
            dataset(count=6, group=["a"] * 6),
            {"group": "g"},
            "spec.toml:3:9: data.split.test: test = 0.25 of 6 samples leaves the test part empty\n"
            "  every part needs a group of its own: give more groups or another fraction",
        ),
        (
            dataset(count=8, order=[1.0] * 8),
            {"order": "t"},
            "spec.toml:3:9: data.split.test: test = 0.25 of 8 samples leaves the training part"
            " empty\n  reduce the gap, or give more samples of different times",
        ),
        (
            dataset([0, 1]),
            {},
            "spec.toml:3:9: data.split.test: test = 0.25 of 2 samples leaves the test part empty\n"
            "  every class keeps a sample to train on: give more data or another fraction",
        ),
    ],
    ids=["one sample left", "one group", "one time", "one sample a class"],
)
def test_impossible_splits_are_located(data: Dataset, asked: dict[str, Any], text: str) -> None:
    def locate(path: tuple[str | int, ...], message: str, hint: str) -> Problem:
        return Problem(message, hint, "spec.toml", 3, 9, ".".join(map(str, path)))

    with pytest.raises(DataError) as found:
        split(data, spec(source="x", split=asked), locate)
    assert str(found.value) == text


@pytest.mark.parametrize(
    ("count", "fraction", "expected"),
    [
        (30, 0.15, 5),
        (50, 0.29, 15),
        (10, 0.25, 3),
        (100, 0.29, 29),
        (3, 0.01, 1),
        (1797, 0.25, 449),
    ],
)
def test_shares_round_halves_up(count: int, fraction: float, expected: int) -> None:
    assert share(count, fraction) == expected


@SETTINGS
@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.floats(0, 1))
def test_apportionment(counts: list[int], fraction: float) -> None:
    total = int(sum(counts) * fraction)
    quotas = apportion(np.array(counts), total, spare=False)
    assert quotas.sum() == total
    assert np.all(quotas <= counts)
    exact = np.array(counts) * total / max(1, sum(counts))
    assert np.all(np.abs(quotas - exact) < 1)
