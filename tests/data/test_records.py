"""Records of text: an input and a target each, sequences of any length; and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import load, load_more, split
from nnctl.data.dataset import Dataset
from nnctl.data.header import inspect
from nnctl.errors import DataError, NnctlError
from tests.data.helpers import info_of, spec, write
from tests.data.test_reading import kept

PAIRS = [("ab", "b"), ("cab", "bac"), ("a", "abcd"), ("bb", "a")]
KEYS: dict[str, Any] = {"source": "a.tsv", "tokens": "character"}


def tsv(pairs: list[tuple[str, str]] = PAIRS, head: str = "") -> str:
    return head + "".join(f"{x}\t{y}\n" for x, y in pairs)


def jsonl(
    pairs: list[tuple[str, str]] = PAIRS, names: tuple[str, str] = ("input", "target")
) -> str:
    return "".join(json.dumps(dict(zip(names, pair, strict=True))) + "\n" for pair in pairs)


def read(folder: Path, content: str = tsv(), name: str = "a.tsv", **keys: Any) -> Dataset:
    write(folder, name, content)
    data = spec(**{**KEYS, "source": name, **keys})
    made = load(data, folder)
    header = inspect(data, folder)
    assert header == info_of(made, header.columns, header.files)
    return made


def test_pairs_by_hand(tmp_path: Path) -> None:
    made = read(tmp_path)
    assert made.inputs[""].tolist() == [[0, 1, 0], [2, 0, 1], [0, 0, 0], [1, 1, 0]]
    assert made.lengths[""].tolist() == [2, 3, 1, 2]
    target = made.targets[""]
    assert target.classes == ("<start>", "<stop>", "a", "b", "c", "d") and target.steps == 5
    assert target.values.tolist() == [
        [3, 1, -1, -1, -1],
        [3, 2, 4, 1, -1],
        [2, 3, 4, 5, 1],
        [2, 1, -1, -1, -1],
    ]
    assert target.values.dtype == np.int64 and target.ahead is None
    header = inspect(spec(**KEYS), tmp_path)
    assert header.vocabularies == {"": 3} and header.lengths == ("",)


@pytest.mark.parametrize(
    ("content", "name", "keys"),
    [
        (tsv(head="input\ttarget\n"), "b.tsv", {}),
        (tsv(head="target\tinput\n", pairs=[(y, x) for x, y in PAIRS]), "b.tsv", {}),
        (tsv(head="en\tde\n"), "b.tsv", {"target": "de"}),
        (tsv(head="en\tde\n"), "b.tsv", {"target": "de", "features": ["en"]}),
        (tsv().replace("\t", ","), "b.csv", {}),
        (tsv().replace("\t", ";"), "b.csv", {"delimiter": ";"}),
        (tsv(head="en\tde\n"), "b.tsv", {"header": True}),
        (jsonl(), "b.jsonl", {"tokens": None}),
        (jsonl().replace("\n", "\n\n"), "b.jsonl.gz", {}),
        (jsonl(names=("en", "de")), "b.jsonl", {"target": "de", "features": ["en"]}),
        (jsonl([(y, x) for x, y in PAIRS], ("y", "x")), "b.jsonl", {"target": "y"}),
    ],
)
def test_forms_of_the_same_records(
    content: str, name: str, keys: dict[str, Any], tmp_path: Path
) -> None:
    assert read(tmp_path, content, name, **keys).fingerprint == read(tmp_path).fingerprint


def test_several_inputs_and_targets_of_words(tmp_path: Path) -> None:
    content = '{"q": "who is it", "c": "it is I", "a": "I"}\n{"q": "it?", "c": "no", "a": "no"}\n'
    keys = {"inputs": {"q": "q", "c": "c"}, "targets": {"a": "a"}, "tokens": "word"}
    made = read(tmp_path, content, "a.jsonl", **keys)
    assert made.inputs["q"].tolist() == [[3, 1, 2], [2, 0, 0]]
    assert made.lengths["c"].tolist() == [3, 1]
    assert made.targets["a"].classes == ("<start>", "<stop>", "I", "no")


def test_a_class_or_a_number_in_place_of_a_sequence(tmp_path: Path) -> None:
    content = jsonl([("ab", "x"), ("b", "y"), ("a", "x"), ("c", "y")])
    made = read(tmp_path, content, "a.jsonl", task="classification")
    assert made.targets[""].classes == ("x", "y") and made.targets[""].values.tolist() == [
        0,
        1,
        0,
        1,
    ]
    assert made.targets[""].steps is None
    numbers = '{"input": "ab", "target": 1.5}\n{"input": "b", "target": 2}\n'
    made = read(tmp_path, numbers, "b.jsonl", task="regression")
    assert made.targets[""].values.tolist() == [[1.5], [2.0]]


def test_lengths_go_with_their_records(tmp_path: Path) -> None:
    pairs = [("a" * (1 + k % 7), "b" * (1 + k % 3)) for k in range(40)]
    keys = {"split": {"train": 0.5, "validation": 0.25}}
    found = split(read(tmp_path, tsv(pairs), **keys), spec(**{**KEYS, **keys}))
    for part in (found.train, found.validation, found.test):
        assert part is not None
        assert part.lengths[""].tolist() == [1 + k % 7 for k in part.index]
        assert ((part.targets[""] >= 0).sum(axis=1)).tolist() == [2 + k % 3 for k in part.index]


def test_a_limit_of_length_is_the_room_that_there_is(tmp_path: Path) -> None:
    made = read(tmp_path, max_length=6)
    assert made.inputs[""].shape == (4, 6) and made.targets[""].steps == 7


def test_other_records_are_numbered_alike(tmp_path: Path) -> None:
    reading = kept(read(tmp_path).reading)
    data = spec(**KEYS)
    for name, content in (
        ("n.tsv", "b\tz\nbc\tq\n"),
        ("n.jsonl", '{"input": "b"}\n{"input": "bc"}\n'),
        ("n.txt", "b\n\nbc\n"),
    ):
        write(tmp_path, name, content)
        found = load_more(data, reading, name, labeled=False, base_dir=tmp_path)
        assert found.inputs[""].tolist() == [[1, 0, 0], [1, 2, 0]] and not found.targets
        assert found.lengths[""].tolist() == [1, 2]
    write(tmp_path, "n.tsv", "b\ta\nbc\tdab\n")
    labeled = load_more(data, reading, "n.tsv", base_dir=tmp_path)
    assert labeled.targets[""].values.tolist() == [[2, 1, -1, -1, -1], [5, 2, 3, 1, -1]]
    write(tmp_path, "n.tsv", "b\ta\nabab\ta\n")
    with pytest.raises(DataError, match='n.tsv:2:1: "column_1" has 4 characters, at most 3'):
        load_more(data, reading, "n.tsv", labeled=False, base_dir=tmp_path)
    write(tmp_path, "n.txt", "b\n\nb!\nx!\n")
    with pytest.raises(DataError) as wrong:
        load_more(data, reading, "n.txt", labeled=False, base_dir=tmp_path)
    said = str(wrong.value)
    assert 'n.txt:3:2: "text": character "!" (number 2) is not in the vocabulary of a.tsv' in said
    assert 'n.txt:4:1: "text": character "x" (number 1) is not in the vocabulary of a.tsv' in said


def test_what_a_formula_made_is_asked_of_lines(tmp_path: Path) -> None:
    data = spec(source={"generate": "dates", "samples": 9})
    reading = kept(load(data, tmp_path).reading)
    write(tmp_path, "n.txt", "3 March 1998\nMay 1, 2026\n")
    found = load_more(data, reading, "n.txt", labeled=False, base_dir=tmp_path)
    rows = zip(found.inputs[""], found.lengths[""], strict=True)
    assert [reading.vocabularies[""].text(x[:n]) for x, n in rows] == [
        "3 March 1998",
        "May 1, 2026",
    ]
    write(tmp_path, "n.tsv", "3 March 1998\t1998-03-03\n")
    labeled = load_more(data, reading, "n.tsv", base_dir=tmp_path).targets[""].values
    assert reading.answers[""].text(labeled[0]) == "1998-03-03" and labeled[0, -1] == 1


def test_files_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, "t.jsonl", jsonl([("b", "a")]))
    made = read(tmp_path, test="t.jsonl", tokens="character", features=["input"], target="target",
                name="a.jsonl", content=jsonl())  # fmt: skip
    assert made.test is not None and made.test.targets[""].values.tolist() == [[2, 1, -1, -1, -1]]
    write(tmp_path, "t.jsonl", jsonl([("b", "a"), ("b", "xyz")]))
    with pytest.raises(DataError, match='t.jsonl:2:27: "target": character "x"'):
        load(spec(source="a.jsonl", test="t.jsonl"), tmp_path)


def test_what_is_unknown_may_be_a_symbol(tmp_path: Path) -> None:
    data = spec(**KEYS, unknown=True)
    made = read(tmp_path, unknown=True)
    assert (made.targets[""].classes or ())[:3] == ("<start>", "<stop>", "<unknown>")
    write(tmp_path, "n.tsv", "a?\td!\n")
    found = load_more(data, kept(made.reading), "n.tsv", base_dir=tmp_path)
    assert found.inputs[""].tolist() == [[1, 0, 0]]
    assert found.targets[""].values.tolist() == [[6, 2, 1, -1, -1]]


REFUSED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "an empty input": (
        "a.tsv", "a\tb\n\tb\n", {}, 'a.tsv:2:1: column "column_1": the value is missing'
    ),
    "no word in it": (
        "a.csv", 'a,b\n" ",b\n', {"tokens": "word"}, 'a.csv:2:1: column "column_1": the value is'
    ),
    "only the target": ("a.tsv", "a\nb\n", {}, "which column of a.tsv is the target?"),
    "too long": (
        "a.tsv", tsv(), {"max_length": 2},
        'a.tsv:2:1: "column_1" has 3 characters, at most 2 are allowed',
    ),
    "a target too long": (
        "a.tsv", tsv(), {"max_length": 3},
        'a.tsv:3:1: "column_2" has 4 characters, at most 3 are allowed',
    ),
    "three columns": ("a.tsv", "a\tb\tc\nd\te\tf\n", {}, "which column of a.tsv is the target?"),
    "no JSON": ("a.jsonl", '{"input": "a", "target": "b"}\n{"input": }\n', {}, "l:2:11: no JSON"),
    "no object": ("a.jsonl", '["a"]\n', {}, "a.jsonl:1:1: expected an object, given a list"),
    "no field": (
        "a.jsonl", jsonl() + '{"input": "a"}\n', {}, 'a.jsonl:5:1: no field "target"'
    ),
    "an empty field": (
        "a.jsonl", jsonl() + '{"input": "", "target": "a"}\n', {},
        'a.jsonl:5:1: field "input": the value is missing',
    ),
    "a list": (
        "a.jsonl", jsonl() + '{"input": ["a"], "target": "a"}\n', {},
        'a.jsonl:5:1: field "input": expected a text, given a list',
    ),
    "blank": ("a.jsonl", "\n\n", {}, "a.jsonl: the file has no records"),
    "windows": ("a.tsv", tsv(), {"window": 3}, "data.window: has no effect: window is"),
    "scale": ("a.jsonl", jsonl(), {"normalize": "minmax", "tokens": None}, "data.normalize: has"),
    "the input itself": ("a.tsv", tsv(), {"target": "@input"}, "data.target: tokens are not"),
    "no records": ("a.npz", "x", {}, "a.npz"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    file, content, keys, expected = REFUSED[name]
    write(tmp_path, file, content)
    for use in (load, inspect):
        with pytest.raises(NnctlError) as found:
            use(spec(**{**KEYS, "source": file, **keys}), tmp_path)
        assert expected in str(found.value)


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("b.tsv", "ab\tab\nb?\tab\nab\ta\n", ["2:2"]),
        ("b.tsv", "ab\tab\nb\tab\nab\ta?\n", ["3:5"]),
        ("b.tsv", "?ab\n", ["1:1"]),
        ("b.jsonl", '{"input": "ab?", "target": "a"}\n', ["1:14"]),
        ("b.csv", '"a,?",b\n', ["1:1"]),  # in quotes: the line alone
    ],
)
def test_unknown_tokens_are_named_by_line_and_column(
    tmp_path: Path, name: str, content: str, where: list[str]
) -> None:
    made = read(tmp_path)
    write(tmp_path, name, content)
    data, labeled = spec(**KEYS), content.count("ab\tab") > 0
    assert made.reading is not None
    with pytest.raises(DataError) as caught:
        load_more(data, made.reading, str(tmp_path / name), labeled=labeled)
    problems = [p for p in caught.value.problems if "?" in p.message]
    assert [f"{p.line}:{p.column}" for p in problems] == where


def test_a_column_under_another_name_is_told_what_to_call_it(tmp_path: Path) -> None:
    made = read(tmp_path)
    write(tmp_path, "b.tsv", "text\nab\n")
    assert made.reading is not None
    with pytest.raises(DataError, match='names the columns, call them "input"'):
        load_more(spec(**KEYS), made.reading, str(tmp_path / "b.tsv"), labeled=False)


def test_a_blank_line_between_records_of_one_column_is_an_empty_one(tmp_path: Path) -> None:
    made = read(tmp_path)
    write(tmp_path, "b.tsv", "ab\n\n\nb\n\n")
    assert made.reading is not None
    with pytest.raises(DataError) as caught:
        load_more(spec(**KEYS), made.reading, str(tmp_path / "b.tsv"), labeled=False)
    assert [problem.line for problem in caught.value.problems] == [2, 3]
    write(tmp_path, "b.tsv", "ab\nb\n\n")
    found = load_more(spec(**KEYS), made.reading, str(tmp_path / "b.tsv"), labeled=False)
    assert found.samples == 2


@pytest.mark.parametrize("name", ["a.tsv", "a.jsonl"])
def test_of_many_bad_records_the_first_are_named(tmp_path: Path, name: str) -> None:
    pairs = [("", "b")] * 14
    with pytest.raises(DataError) as caught:
        read(tmp_path, jsonl(pairs) if name == "a.jsonl" else tsv(pairs), name)
    assert [p.line for p in caught.value.problems] == [*range(1, 11), 0]
    assert caught.value.problems[-1].message == "and 4 more"
