"""Texts as windows of tokens: vocabularies, what follows, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data import load, load_more, split
from nnctl.data.dataset import Dataset, Part
from nnctl.data.header import inspect
from nnctl.data.tokens import START, STOP, UNKNOWN, Vocabulary, made_of, start_of, tokens
from nnctl.errors import DataError, NnctlError
from tests.data.helpers import info_of, spec, write
from tests.data.test_reading import kept

ABC = "abcabcabcabcabcabcab\n"
KEYS: dict[str, Any] = {"source": "a.txt", "window": 4, "split": {"train": 1.0}}


def read(folder: Path, content: str | bytes, **keys: Any) -> Dataset:
    write(folder, "a.txt", content)
    data = spec(**{**KEYS, **keys})
    made = load(data, folder)
    header = inspect(data, folder)
    assert header == info_of(made, header.columns, header.files)
    return made


def said(part: Part | Dataset, dataset: Dataset) -> list[str]:
    assert dataset.reading is not None
    return [dataset.reading.vocabularies[""].text(row) for row in part.inputs[""]]


def test_windows_lie_side_by_side_and_every_token_has_the_next_one(tmp_path: Path) -> None:
    made = read(tmp_path, ABC)
    assert made.inputs[""].dtype == np.int64 and made.targets[""].values.dtype == np.int64
    assert said(made, made) == ["abca", "bcab", "cabc", "abca", "bcab"]
    assert made.targets[""].classes == ("newline", "a", "b", "c")
    assert made.targets[""].values[0].tolist() == [2, 3, 1, 2]
    assert made.targets[""].values[-1].tolist() == [3, 1, 2, 0]
    assert made.targets[""].steps == 4 and made.targets[""].ahead == 1
    assert inspect(spec(**KEYS), tmp_path).vocabularies == {"": 4}


def test_stride_horizon_and_the_last_step_alone(tmp_path: Path) -> None:
    made = read(tmp_path, ABC, stride=3, horizon=2, steps="last")
    assert said(made, made) == ["abca"] * 6
    assert made.targets[""].values.tolist() == [3, 3, 3, 3, 3, 0]  # after "abca" b, then c
    assert made.targets[""].steps is None


def test_parts_are_blocks_and_the_vocabulary_is_of_the_first(tmp_path: Path) -> None:
    keys = {"split": {"test": 0.25, "validation": 0.25, "gap": 2}, "unknown": True}
    content = "ab" * 14 + "x" * 16 + "y" * 20
    found = split(made := read(tmp_path, content, **keys), spec(**{**KEYS, **keys}))
    assert made.reading is not None
    vocabulary = made.reading.vocabularies[""]
    assert vocabulary.texts == ("a", "b", "x") and vocabulary.specials == (UNKNOWN,)
    assert found.train.inputs[""].shape == (7, 4) and said(found.train, made)[0] == "abab"
    assert found.validation is not None and found.test is not None
    assert set(found.validation.inputs[""].ravel()) == {3}
    assert set(found.test.targets[""].ravel()) == {0}
    with pytest.raises(DataError) as wrong:
        read(tmp_path, content, **{**keys, "unknown": False})
    assert 'a.txt:1:45: character "y" is not in the training part' in str(wrong.value)
    write(tmp_path, "new.txt", "".join(map(chr, range(0x3B1, 0x3B1 + 17))))
    with pytest.raises(DataError) as many:
        load_more(spec(**{**KEYS, "unknown": False}), kept(read(tmp_path, ABC).reading), "new.txt",
                  labeled=False, base_dir=tmp_path)  # fmt: skip
    assert [len(many.value.problems), str(many.value.problems[-1])] == [11, "and 7 more"]


def test_forms_of_the_same_text(tmp_path: Path) -> None:
    lines = "one two\nthree\n"
    plain = read(tmp_path, lines)
    for other in (lines.replace("\n", "\r\n"), "\ufeff" + lines):
        assert read(tmp_path, other).fingerprint == plain.fingerprint
    write(tmp_path, "b.txt.gz", lines)
    assert load(spec(**{**KEYS, "source": "b.txt.gz"}), tmp_path).fingerprint == plain.fingerprint


def test_words(tmp_path: Path) -> None:
    made = read(tmp_path, "Don't stop,\tdon't\nstop. Don't stop", tokens="word", window=3)
    assert made.reading is not None
    assert made.reading.vocabularies[""].texts == ("\n", ",", ".", "Don't", "don't", "stop")
    assert said(made, made)[:2] == ["Don't stop ,", "don't \n stop"]


def test_bytes(tmp_path: Path) -> None:
    made = read(tmp_path, "aé b c d", tokens="byte")
    assert made.inputs[""][0].tolist() == [97, 0xC3, 0xA9, 32]
    names = made.targets[""].classes or ()
    assert len(names) == 256 and (names[97], names[32], names[10]) == ("a", "space", "newline")
    assert names[0xC3] == "0xC3"


def test_another_text_is_read_with_the_same_vocabulary(tmp_path: Path) -> None:
    reading = kept(read(tmp_path, ABC).reading)
    write(tmp_path, "new.txt", "bbccbbccb")
    data = spec(**KEYS)
    found = load_more(data, reading, "new.txt", labeled=False, base_dir=tmp_path)
    assert found.inputs[""].tolist() == [[2, 3, 3, 2], [2, 3, 3, 2]] and not found.targets
    labeled = load_more(data, reading, "new.txt", base_dir=tmp_path)
    assert labeled.targets[""].values.tolist() == [[2, 3, 3, 2], [2, 3, 3, 2]]
    write(tmp_path, "new.txt", "abc\nabd\nabd\n")
    with pytest.raises(DataError, match=r'new.txt:2:3: character "d" is not in the training part'):
        load_more(data, reading, "new.txt", labeled=False, base_dir=tmp_path)
    write(tmp_path, "new.txt", "abc")
    with pytest.raises(DataError, match=r"too short: it has 3 characters, and a window takes 4"):
        load_more(data, reading, "new.txt", labeled=False, base_dir=tmp_path)


def test_a_text_of_its_own_to_test_on(tmp_path: Path) -> None:
    write(tmp_path, "t.txt", "cbacbacb")
    made = read(tmp_path, ABC, test="t.txt")
    assert made.test is not None and said(made.test, made) == ["cbac"]
    write(tmp_path, "t.txt", "cba")
    with pytest.raises(DataError, match=r"t.txt: too short: it has 3 characters"):
        read(tmp_path, ABC, test="t.txt")


REFUSED: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "a wrong byte": (b"abc\nde\xe9f", {}, "a.txt:2:1: not UTF-8: byte 0xe9 at byte offset 6"),
    "after a mark": (b"\xef\xbb\xbfab\xff", {}, "a.txt:1:1: not UTF-8: byte 0xff at byte offset 5"),
    "UTF-16": (ABC.encode("utf-16"), {}, "a.txt:1:1: UTF-16 text; UTF-8 was expected"),
    "empty": ("", {}, "a.txt: the file is empty (0 bytes)"),
    "too short": (
        "abcd",
        {},
        "a.txt: too short: it has 4 characters, and a window of 4 and a horizon of 1 take 5",
    ),
    "columns": (ABC, {"target": "y"}, "data.target: has no effect: a text has no columns"),
    "scale": (ABC, {"normalize": "minmax"}, "data.normalize: has no effect: tokens are not scaled"),
    "length": (ABC, {"max_length": 3}, "data.max_length: has no effect: max_length is for records"),
    "unknown bytes": (
        ABC,
        {"tokens": "byte", "unknown": True},
        "data.unknown: has no effect: every byte is known",
    ),
    "what is read": (
        ABC,
        {"horizon": 0},
        "data.horizon: 0 is the symbol that is read: the network would read the answer",
    ),
    "a table to test on": (ABC, {"test": "t.csv"}, "data.test: t.csv is no text"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    content, keys, expected = REFUSED[name]
    write(tmp_path, "a.txt", content)
    write(tmp_path, "t.csv", "a,b\n1,2\n")
    for use in (load, inspect):
        with pytest.raises(NnctlError) as found:
            use(spec(**{**KEYS, **keys}), tmp_path)
        assert expected in str(found.value)


@pytest.mark.parametrize("kind", ["character", "word", "byte"])
def test_where_a_token_stands(kind: Any) -> None:
    text = "Ab é, c\nd"
    found = tokens(text, kind)
    last = {"character": 8, "word": 5, "byte": 9}[kind]
    assert len(found) == last + 1 and start_of(text, kind, last) == 8


def test_special_symbols_come_first_and_say_nothing() -> None:
    vocabulary = made_of(["ba"], "character", (START, STOP))
    assert vocabulary.names == ("<start>", "<stop>", "a", "b") and vocabulary.size == 4
    assert list(vocabulary.codes("abz")) == [2, 3, -1]
    assert vocabulary.text([0, 3, 2, 1]) == "ba"
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_the_bundled_text_is_known_whole_to_its_training_part() -> None:
    data = load(spec(source="alice", split={"train": 0.8, "validation": 0.1}), Path())
    assert data.inputs[""].shape[1] == 64 and len(data.targets[""].classes or ()) == 68
    assert data.validation is not None and data.test is not None
    text = said(data, data)[0]
    assert text.startswith(" " * 28 + "CHAPTER I\n")
