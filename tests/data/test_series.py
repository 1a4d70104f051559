"""Tables in order of time as windows: where they lie, what they predict, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import fit_normalizer, load, load_more, split
from nnctl.data.dataset import Dataset, Splits
from nnctl.data.header import inspect
from nnctl.data.reading import Reading
from nnctl.errors import DataError, NnctlError
from tests.data.helpers import info_of, spec, write
from tests.data.test_reading import kept

KEYS: dict[str, Any] = {"source": "a.csv", "target": "y", "window": 3, "split": {"test": 0.25}}


def table(count: int, skip: tuple[int, ...] = ()) -> str:
    """Rows of t, x = 100 + t and y = 10 t."""
    rows = (f"{t},{100 + t},{10 * t}\n" for t in range(count) if t not in skip)
    return "t,x,y\n" + "".join(rows)


def read(folder: Path, content: str, **keys: Any) -> Dataset:
    write(folder, "a.csv", content)
    data = spec(**{**KEYS, **keys})
    made = load(data, folder)
    header = inspect(data, folder)
    assert header == info_of(made, header.columns, header.files)
    return made


def parts(folder: Path, content: str, **keys: Any) -> Splits:
    return split(read(folder, content, **keys), spec(**{**KEYS, **keys}))


def test_windows_and_what_follows_them_by_hand(tmp_path: Path) -> None:
    found = parts(tmp_path, table(16), features=["y", "x"])
    assert found.train.inputs[""][0].tolist() == [[0, 100], [10, 101], [20, 102]]
    assert found.train.targets[""].tolist() == [[10.0 * t] for t in range(3, 12)]
    assert found.train.naive[""].tolist() == [[10.0 * t] for t in range(2, 11)]
    assert found.test is not None
    assert found.test.inputs[""][..., 0].tolist() == [[120, 130, 140]]
    assert found.test.targets[""].tolist() == [[150.0]]


def test_horizon_and_stride(tmp_path: Path) -> None:
    found = parts(tmp_path, table(16), features=["y"], horizon=4, stride=2, split={"train": 1.0})
    assert found.train.inputs[""][:, 0, 0].tolist() == [0, 20, 40, 60, 80]
    assert found.train.targets[""][:, 0].tolist() == [60, 80, 100, 120, 140]
    assert found.train.naive[""][:, 0].tolist() == [20, 40, 60, 80, 100]


def test_a_target_at_every_step(tmp_path: Path) -> None:
    made = read(tmp_path, table(40), features=["y"], steps="all", horizon=2)
    target = made.targets[""]
    assert target.values.shape == (len(made.inputs[""]), 3, 1) and target.steps == 3
    assert np.array_equal(target.values, made.inputs[""] + 20)
    assert target.naive is not None and np.array_equal(target.naive, made.inputs[""])


def test_by_default_all_columns_are_read_the_target_too_but_not_the_time(tmp_path: Path) -> None:
    keys = {"split": {"test": 0.25, "order": "t"}}
    made = read(tmp_path, table(16), **keys)
    assert made.inputs[""][0].tolist() == [[100, 0], [101, 10], [102, 20]]


def test_a_target_that_is_no_input_is_carried_forward_too(tmp_path: Path) -> None:
    made = read(tmp_path, table(16), features=["x"])
    target = made.targets[""]
    assert target.held_by == () and target.naive is not None
    assert np.array_equal(target.naive, target.values - 10)
    read_alike = Reading.from_json(json.loads(json.dumps(made.reading.to_json())))
    assert read_alike.targets == made.reading.targets
    assert inspect(spec(**KEYS), tmp_path).targets[""].ahead == 1


def test_what_is_told_of_the_same_step_is_not_carried_forward(tmp_path: Path) -> None:
    target = read(tmp_path, table(16), features=["x"], horizon=0).targets[""]
    assert target.ahead is None and target.naive is None


def test_a_target_is_held_by_the_inputs_that_its_column_is_in(tmp_path: Path) -> None:
    for inputs, held_by in (
        ({"p": ["y"], "q": ["x"]}, ("p",)),
        ({"p": ["x"], "q": ["y", "x"], "r": ["y"]}, ("q", "r")),
        ({"p": ["y"], "q": ["y", "x"]}, None),
    ):
        made = read(tmp_path, table(16), inputs=inputs)
        assert (made.targets[""].ahead, made.targets[""].held_by) == (1, held_by)
        assert made.reading is not None and kept(made.reading).targets[""].held_by == held_by


def test_a_column_that_is_input_and_target_is_missed_once(tmp_path: Path) -> None:
    write(tmp_path, "t.csv", "z\n" + "1\n" * 9)
    with pytest.raises(DataError, match="t.csv: no column y, which"):
        read(tmp_path, table(16), features=["y"], test="t.csv")


@pytest.mark.parametrize("gap", [0, 1, 4])
def test_no_window_crosses_a_cut(gap: int, tmp_path: Path) -> None:
    """The rows that windows and their targets take are in one part alone, the gap in none."""
    cuts = {"test": 0.25, "validation": 0.25, "gap": gap}
    found = parts(tmp_path, table(60), features=["y"], horizon=2, split=cuts)
    assert found.validation is not None and found.test is not None
    rows = [
        {int(v) for v in np.concatenate([p.inputs[""].ravel(), p.targets[""].ravel()]) / 10}
        for p in (found.train, found.validation, found.test)
    ]
    assert rows[2] == set(range(45, 60))
    assert max(rows[0]) + gap + 1 == min(rows[1]) and max(rows[1]) + gap + 1 == min(rows[2])


def test_what_is_tested_on_does_not_move_the_normalization(tmp_path: Path) -> None:
    keys = {"normalize": "standard", "normalize_target": True, "features": ["y"]}
    data = spec(**{**KEYS, **keys})
    one = fit_normalizer(data, parts(tmp_path, table(40), **keys).train)
    changed = table(30) + "".join(f"{t},0,{-1000 * t}\n" for t in range(30, 40))
    other = fit_normalizer(data, parts(tmp_path, changed, **keys).train)
    assert one.inputs[""] is not None and one.targets[""] is not None
    assert {k: v.tolist() for k, v in one.tensors().items()} == {
        k: v.tolist() for k, v in other.tensors().items()
    }


def test_numbers_at_every_step_are_normalized_without_those_that_do_not_count(
    tmp_path: Path,
) -> None:
    keys = {"normalize_target": True, "features": ["y"], "steps": "all"}
    part = parts(tmp_path, table(40), **keys).train
    part.targets[""][0, 1] = np.nan
    mean, scale = fit_normalizer(spec(**{**KEYS, **keys}), part).targets[""] or (None, None)
    counted = part.targets[""][~np.isnan(part.targets[""])]
    assert mean == pytest.approx(counted.mean()) and scale == pytest.approx(1 / counted.std())


def test_whole_numbers_of_few_values_are_still_numbers(tmp_path: Path) -> None:
    content = "y\n" + "".join(f"{t % 4}\n" for t in range(40))
    assert read(tmp_path, content).targets[""].kind == "number"
    assert read(tmp_path, content, task="classification").targets[""].classes == tuple("0123")


def test_a_class_at_every_step(tmp_path: Path) -> None:
    content = "y,kind\n" + "".join(f"{t},{'ab'[t % 2]}\n" for t in range(40))
    made = read(tmp_path, content, target="kind", features=["y"], steps="all", horizon=0)
    assert made.targets[""].values[:2].tolist() == [[0, 1, 0], [1, 0, 1]]


def test_a_limit_keeps_the_latest_windows(tmp_path: Path) -> None:
    found = parts(tmp_path, table(16), features=["y"], limit=2)
    assert found.train.targets[""].tolist() == [[100.0], [110.0]]


def test_files_of_their_own_are_windows_too(tmp_path: Path) -> None:
    write(tmp_path, "t.csv", table(6))
    made = read(tmp_path, table(16), features=["y"], test="t.csv", split={"train": 0.75})
    assert made.test is not None and made.test.targets[""].values.tolist() == [[30.0], [40], [50]]
    assert made.samples == 13
    write(tmp_path, "t.csv", table(3))
    with pytest.raises(DataError, match="t.csv: too short: it has 3 rows, and a window of 3 and"):
        read(tmp_path, table(16), features=["y"], test="t.csv", split={"train": 0.75})


def test_the_last_window_of_a_file_ends_where_the_file_does(tmp_path: Path) -> None:
    keys = {**KEYS, "features": ["y"], "stride": 2}
    reading = kept(read(tmp_path, table(16), **keys).reading)
    write(tmp_path, "new.csv", "y\n1\n2\n3\n4\n5\n6\n")
    found = load_more(spec(**keys), reading, "new.csv", labeled=False, base_dir=tmp_path)
    assert found.inputs[""][..., 0].tolist() == [[2, 3, 4], [4, 5, 6]] and not found.targets
    write(tmp_path, "new.csv", table(7))
    labeled = load_more(spec(**keys), reading, "new.csv", base_dir=tmp_path)
    assert labeled.targets[""].values.tolist() == [[30.0], [50.0]]
    write(tmp_path, "new.txt", "1 2 3 4")
    with pytest.raises(DataError, match=r"new.txt: a text, and a.csv is none"):
        load_more(spec(**keys), reading, "new.txt", labeled=False, base_dir=tmp_path)
    write(tmp_path, "new.csv", "y\n1\n2\n")
    with pytest.raises(DataError, match="too short: it has 2 rows, and a window takes 3 rows"):
        load_more(spec(**keys), reading, "new.csv", labeled=False, base_dir=tmp_path)


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no number": (
        table(16).replace("\n4,104,40", "\n4,104,n/a"),
        {},
        'a.csv:6:7: column "y": the value is missing (given "n/a")',
    ),
    "no such column": (table(16), {"features": ["z"]}, 'data.features.0: no column "z" in a.csv'),
    "no window at all": (
        table(3),
        {},
        "a.csv: too short: it has 3 rows, and a window of 3 and a horizon of 1 take 4 rows",
    ),
    "no window to test on": (
        table(4),
        {"split": {"train": 0.5}},
        "data.split.test: the test part has 2 of 4 rows, and a window of 3 and a horizon of 1 "
        "take 4 rows",
    ),
    "all in the gap": (
        table(40),
        {"split": {"test": 0.25, "gap": 27}},
        "data.window: the train part has 3 of 40 rows, and",
    ),
    "times go back": (
        table(16, skip=(5,)) + "5,1,2\n",
        {"split": {"order": "t"}},
        'a.csv:17:1: "t": 5 is not later than 15 before it',
    ),
    "the answer is an input": (
        table(16),
        {"horizon": 0, "features": ["y"]},
        'data.features: "y" is the target, and cannot be an input too',
    ),
    "the input itself": (
        table(16),
        {"target": "@input"},
        "data.target: windows of a series predict what follows, not the input itself",
    ),
    "tokens": (table(16), {"max_length": 3}, "data.max_length: has no effect: max_length is for t"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    content, keys, expected = REFUSED[name]
    write(tmp_path, "a.csv", content)
    for use in (load, inspect):
        with pytest.raises(NnctlError) as found:
            use(spec(**{**KEYS, **keys}), tmp_path)
        assert expected in str(found.value)


def test_what_has_no_rows_in_order_has_no_windows(tmp_path: Path) -> None:
    for keys in ({"source": "digits", "window": 3}, {"source": "digits", "horizon": 2}):
        with pytest.raises(NnctlError, match="has no effect"):
            inspect(spec(**keys), tmp_path)


def test_sunspots_are_those_of_the_publication() -> None:
    keys = {"features": ["sunspots"], "window": 308, "split": {"train": 1.0}}
    data = load(spec(source="sunspots", **keys), Path())
    assert data.inputs[""][0, :4, 0].tolist() == [5, 11, 16, 23]
    assert data.targets[""].values.tolist() == [[2.9]]
