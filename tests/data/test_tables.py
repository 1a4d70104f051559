"""What a table is taken for: numbers, classes, headers, delimiters, line ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnctl.data import load
from nnctl.data.dataset import Dataset
from nnctl.data.sources.table import looks_like_header
from nnctl.errors import SpecError
from tests.data.helpers import IRIS, spec, write


def read(folder: Path, content: str | bytes, name: str = "a.csv", **keys: object) -> Dataset:
    write(folder, name, content)
    return load(spec(source=name, **keys), folder)


def test_values_by_hand(tmp_path: Path) -> None:
    data = read(tmp_path, IRIS, target="kind")
    assert data.inputs[""].dtype == np.float64
    assert data.inputs[""].tolist() == [[1.5, 2], [2.5, 3], [3.5, 4], [4.5, 5]]
    assert data.targets[""].classes == ("a", "b")
    assert data.targets[""].values.tolist() == [1, 0, 1, 0]
    assert data.targets[""].values.dtype == np.int64


@pytest.mark.parametrize(
    "content",
    [
        IRIS.replace("\n", "\r\n"),
        "\ufeff" + IRIS,
        IRIS.rstrip("\n"),
        IRIS.replace("\n", "\n\n"),
        IRIS.replace(",", " , "),
        IRIS.replace("1.5", '"1.5"').replace("kind", '"kind"'),
        IRIS.replace("1.5", "1.5e0").replace("2.5", "+2.50"),
    ],
    ids=["CRLF", "BOM", "no end", "blank lines", "padded", "quoted", "other notations"],
)
def test_forms_of_the_same_table(content: str, tmp_path: Path) -> None:
    plain = read(tmp_path, IRIS, target="kind")
    other = read(tmp_path, content, "b.csv", target="kind")
    assert other.fingerprint == plain.fingerprint


def test_delimiters(tmp_path: Path) -> None:
    plain = read(tmp_path, IRIS, target="kind")
    tabs = read(tmp_path, IRIS.replace(",", "\t"), "b.tsv", target="kind")
    semicolons = read(tmp_path, IRIS.replace(",", ";"), "c.csv", target="kind", delimiter=";")
    assert plain.fingerprint == tabs.fingerprint == semicolons.fingerprint


def test_a_cell_may_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    data = read(tmp_path, 'x,y\n1,"a, ""b""\nc"\n2,d\n', target="y")
    assert data.targets[""].classes == ('a, "b"\nc', "d")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["length", "kind"], ["1.5", "a"], True),
        (["1.5", "a"], ["2.5", "b"], False),
        (["red", "a"], ["green", "b"], True),
        (["label", "0", "1", "2"], ["7", "10", "11", "12"], True),
        (["0", "1", "2"], ["7", "10", "11"], False),
    ],
    ids=["usual", "none", "all words", "numbered columns", "numbers only"],
)
def test_what_is_a_header(first: list[str], second: list[str], expected: bool) -> None:
    assert looks_like_header([(1, first), (2, second)]) is expected


def test_the_spec_overrules_what_a_header_is(tmp_path: Path) -> None:
    content = "0,1\n5,6\n7,8\n"
    plain = read(tmp_path, content, target="column_2", task="regression")
    named = read(tmp_path, content, target="1", task="regression", header=True)
    assert plain.samples == 3 and named.samples == 2


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["b", "a", "b", "c"], "class", ("a", "b", "c")),
        (["10", "9", "10", "9"], "class", ("9", "10")),
        (["-1", "1", "-1", "1"], "class", ("-1", "1")),
        (["1", "2", "3", "4"], "number", None),  # as many values as samples
        (["0.5", "1.5", "0.5", "1.5"], "number", None),
        (["none", "n/a", "none", "n/a"], "class", ("n/a", "none")),
    ],
)
def test_kinds_of_target(
    values: list[str], kind: str, classes: tuple[str, ...] | None, tmp_path: Path
) -> None:
    rows = "".join(f"{k},{value}\n" for k, value in enumerate(values))
    target = read(tmp_path, "x,y\n" + rows, target="y").targets[""]
    assert (target.kind, target.classes) == (kind, classes)


@pytest.mark.parametrize(("count", "kind"), [(100, "class"), (101, "number")])
def test_many_whole_numbers_are_numbers(count: int, kind: str, tmp_path: Path) -> None:
    rows = "".join(f"{k},{k % count}\n" for k in range(2 * count))
    data = read(tmp_path, "x,y\n" + rows, target="y")
    assert data.targets[""].kind == kind
    overruled = read(tmp_path, "x,y\n" + rows, target="y", task="classification")
    assert overruled.targets[""].kind == "class"


def test_one_hot_columns_are_rows_with_classes(tmp_path: Path) -> None:
    targets = {"soft": ["no", "yes"]}
    content = "a,no,yes\n1,0.25,0.75\n4,1,0\n"
    soft = read(tmp_path, content, targets=targets, task="classification").targets["soft"]
    assert (soft.kind, soft.classes) == ("rows", ("no", "yes"))
    assert soft.values.tolist() == [[0.25, 0.75], [1, 0]]
    numbers = read(tmp_path, content, targets=targets).targets["soft"]
    assert (numbers.kind, numbers.classes) == ("number", None)


def test_several_inputs_in_the_order_asked(tmp_path: Path) -> None:
    inputs = {"left": ["c", "a"], "right": ["b"]}
    data = read(tmp_path, "a,b,c,y\n1,2,3,u\n4,5,6,v\n", target="y", inputs=inputs)
    assert data.inputs["left"].tolist() == [[3, 1], [6, 4]]
    assert data.inputs["right"].tolist() == [[2], [5]]
    assert all(values.flags.c_contiguous for values in data.inputs.values())


def test_patterns_name_columns(tmp_path: Path) -> None:
    content = "p1,q,p2,y\n1,2,3,u\n4,5,6,v\n"
    assert read(tmp_path, content, target="y", features="p*").inputs[""].tolist() == [
        [1, 3],
        [4, 6],
    ]


def test_group_and_time_are_no_features(tmp_path: Path) -> None:
    content = "t,who,x,y\n2026-01-03,a,1,u\n2026-01-01T06:00,b,2,v\n"
    times = read(tmp_path, content, target="y", features=["x"], split={"order": "t"})
    assert np.diff(times.columns["order"]).tolist() == [-(2 * 24 - 6) * 3600.0]
    groups = read(tmp_path, content, target="y", features=["x"], split={"group": "who"})
    assert groups.columns["group"].tolist() == ["a", "b"]


def test_times_without_a_zone_are_utc(tmp_path: Path) -> None:
    times = ["2026-01-01T12:00", "2026-01-01T12:00Z", "2026-01-01T14:00+02:00", "2026-01-01 12:00"]
    rows = "".join(f"{time},{k},u\n{time},{k},v\n" for k, time in enumerate(times))
    data = read(tmp_path, "t,x,y\n" + rows, target="y", split={"order": "t"})
    assert np.unique(data.columns["order"]).tolist() == [1767268800.0]


def test_a_test_file_goes_by_column_names(tmp_path: Path) -> None:
    write(tmp_path, "t.csv", "kind,extra,width,length\nb,9,2,1\n")
    data = read(tmp_path, IRIS, target="kind", test="t.csv")
    assert data.test is not None
    assert data.test.inputs[""].tolist() == [[1, 2]]
    assert data.test.targets[""].values.tolist() == [1]
    assert data.test.targets[""].classes == ("a", "b")


def test_a_test_file_may_call_its_target_otherwise(tmp_path: Path) -> None:
    write(tmp_path, "t.csv", "length,width,species\n1,2,b\n")
    test = {"source": "t.csv", "target": "species"}
    data = read(tmp_path, IRIS, target="kind", test=test)
    assert data.test is not None and data.test.targets[""].values.tolist() == [1]


def test_keys_for_text_are_refused_elsewhere(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), y=np.array([0, 1, 0, 1]))
    with pytest.raises(SpecError) as found:
        load(spec(source="a.npz", delimiter=";", header=True), tmp_path)
    assert str(found.value) == (
        "data.delimiter: has no effect: a.npz is not a text file\n  remove it\n"
        "data.header: has no effect: a.npz is not a text file\n  remove it"
    )
