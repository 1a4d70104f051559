"""Every path of a parsed TOML text is found, where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import tomli

from nnctl.spec.positions import Path, positions, split_key
from tests.spec.helpers import shipped

TRICKY = (
    r'''# [not.a.table]
"quoted key" = 1
a.b.c = 2
a.b.'d e' = "x = 1 # no comment"   # a = 3
text = """
[no]
x = "1"
"""
literal = '''
    + """'''
[[no]]
'''"""
    + r"""
escaped."k\u00e9\"y" = { x = [1, { y = 2 }], "p.q" = 3 }

[table . sub]
one = [ 1,
        2, # two ]
        [ 3, { four = 4 } ] ]
[[list]]
x = 1
[[list]]
  [[list.inner]]
  y = 1
  [[list.inner]]
  y = 2
  z.w = 3
  [list.inner.deep]
  v = 1
[[list]]
[[list.inner]]
y = 3
[table]
late = 1979-05-27T07:32:00Z
"""
)


def paths(value: Any, at: Path = ()) -> Iterator[Path]:
    """All paths of parsed data, from what the parser made of the text."""
    if at:
        yield at
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        if isinstance(entry, dict | list):
            yield from paths(entry, (*at, key))
        else:
            yield (*at, key)


@pytest.mark.parametrize("text", [TRICKY, TRICKY.replace("\n", "\r\n")], ids=["lf", "crlf"])
def test_every_path_has_a_place(text: str) -> None:
    found = positions(text)
    assert set(found.keys) >= set(paths(tomli.loads(text)))


@pytest.mark.parametrize("path", shipped(), ids=lambda p: p.stem)
def test_every_path_of_the_shipped_specs_has_a_place(path: Any) -> None:
    text = path.read_text()
    found = positions(text)
    for keys in paths(tomli.loads(text)):
        line, column = found.find(keys)
        word = keys[-1]
        if isinstance(word, str):
            assert word in text.splitlines()[line - 1], keys


def test_lines_and_columns_of_keys_and_values() -> None:
    found = positions(TRICKY)
    lines = TRICKY.splitlines()

    def at(keys: Path, *, value: bool = False) -> str:
        line, column = found.find(keys, value=value)
        return lines[line - 1][column - 1 :]

    assert at(("quoted key",)).startswith('"quoted key"')
    assert at(("a", "b", "d e")).startswith("'d e'")
    assert at(("a", "b", "c"), value=True) == "2"
    assert at(("escaped", 'ké"y', "x", 1, "y")).startswith("y = 2")
    assert at(("escaped", 'ké"y', "p.q")).startswith('"p.q" = 3')
    assert at(("table", "sub", "one", 2, 1, "four"), value=True).startswith("4 }")
    assert at(("list", 1, "inner", 1, "z", "w")).startswith("w = 3")
    assert at(("list", 1, "inner", 1, "deep", "v")) == "v = 1"
    assert at(("list", 2, "inner", 0, "y")) == "y = 3"
    assert at(("table",)) == "[table]"
    assert at(("list", 1)) == "[[list]]"


def test_what_is_not_there_is_at_the_nearest_table() -> None:
    found = positions(TRICKY)
    assert found.find(("list", 1, "nothing", "at", "all")) == found.find(("list", 1))
    assert found.find(("nothing",)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ["a"]),
        ("a.b.0", ["a", "b", "0"]),
        ('a."b.c"', ["a", "b.c"]),
        ("a . b", ["a", "b"]),
        ("", None),
        ("a.", None),
        ("a b", None),
        ("a=", None),
        ('"open', None),
    ],
)
def test_dotted_keys(text: str, parts: list[str] | None) -> None:
    assert split_key(text) == parts
