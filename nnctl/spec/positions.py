"""Where each key and value of a TOML text stands. Stdlib only.

A scanner of text that the TOML parser has already accepted, so it checks nothing: it only
remembers offsets under the path that the parsed value has, ``("layers", 3, "units")``.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_BASIC = re.compile(r'"""(?:[^\\]|\\[\s\S])*?"{3,5}|"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'''[\s\S]*?'{3,5}|'[^'\n]*'")
_ESCAPE = re.compile(r"\\(?:([btnfre\"\\])|x(..)|u(....)|U(........))")
_PLAIN = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


@dataclass
class Positions:
    """Offsets of keys (or table headers) and of values, and the lines they fall on."""

    text: str
    keys: dict[Path, int] = field(default_factory=dict)
    values: dict[Path, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._starts = [0] + [m.end() for m in re.finditer("\n", self.text)]

    def place(self, offset: int) -> tuple[int, int]:
        """Turn an offset into (line, column), both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def find(self, path: Path, *, value: bool = False) -> tuple[int, int]:
        """Place of the key (or value) at ``path``, else of the nearest table around it."""
        table = self.values if value else self.keys
        if path in table:
            return self.place(table[path])
        for end in range(len(path), 0, -1):
            if path[:end] in self.keys:
                return self.place(self.keys[path[:end]])
        return 1, 1


def positions(text: str) -> Positions:
    """Scan a TOML text that has been parsed without error."""
    return _Scanner(text).run()


def split_key(text: str) -> list[str] | None:
    """Split a dotted key (``a.b."c d"``) in its parts; None when it is not one."""
    scanner = _Scanner(text)
    try:
        end, parts = scanner.key(0)
    except (AttributeError, IndexError):
        return None
    return [name for name, _ in parts] if end == len(text) else None


class _Scanner:
    """Walks the text once; ``at`` is always an offset, a method returns the offset behind it."""

    def __init__(self, text: str) -> None:
        self.text = text + "\n"
        self.out = Positions(text)
        self.lengths: dict[Path, int] = {}  # arrays of tables: entries so far

    def run(self) -> Positions:
        at = self.between(0)
        base: Path = ()
        while at < len(self.text):
            if self.text.startswith("[[", at):
                at, base = self.header(at, 2)
            elif self.text[at] == "[":
                at, base = self.header(at, 1)
            else:
                at = self.pair(at, base)
            at = self.between(at)
        return self.out

    def header(self, at: int, brackets: int) -> tuple[int, Path]:
        """Read ``[a.b]`` or ``[[a.b]]``: the table that the following pairs belong to."""
        end, parts = self.key(at + brackets)
        path = self.enter((), parts[:-1], at) + (parts[-1][0],)
        if brackets == 2:
            self.note(path, at)
            count = self.lengths.get(path, 0)
            self.lengths[path] = count + 1
            path += (count,)
        # A table may be opened after its sub-tables: its own header is the better place.
        self.out.keys[path] = self.out.values[path] = at
        return end + brackets, path

    def pair(self, at: int, base: Path) -> int:
        """Read ``key = value``; a dotted key opens tables on its way."""
        end, parts = self.key(at)
        path = self.enter(base, parts[:-1], None) + (parts[-1][0],)
        self.out.keys[path] = parts[-1][1]
        return self.value(self.blank(end + 1), path)

    def enter(self, base: Path, parts: Sequence[tuple[str, int]], at: int | None) -> Path:
        """Follow a key's parts, stepping into the newest entry of an array of tables."""
        path = base
        for name, start in parts:
            path += (name,)
            self.note(path, start if at is None else at)
            if path in self.lengths:
                path += (self.lengths[path] - 1,)
        return path

    def note(self, path: Path, at: int) -> None:
        self.out.keys.setdefault(path, at)
        self.out.values.setdefault(path, at)

    def value(self, at: int, path: Path) -> int:
        self.out.values[path] = at
        self.out.keys.setdefault(path, at)
        first = self.text[at]
        if first in "\"'":
            return self.string(at)[0]
        if first == "[":
            return self.items(at, path)
        if first == "{":
            return self.inline(at, path)
        found = _SCALAR.match(self.text, at)
        return found.end() if found else at + 1

    def items(self, at: int, path: Path) -> int:
        at, count = self.between(at + 1), 0
        while self.text[at] != "]":
            at = self.between(self.value(at, (*path, count)))
            count += 1
            if self.text[at] == ",":
                at = self.between(at + 1)
        return at + 1

    def inline(self, at: int, path: Path) -> int:
        at = self.between(at + 1)
        while self.text[at] != "}":
            at = self.between(self.pair(at, path))
            if self.text[at] == ",":
                at = self.between(at + 1)
        return at + 1

    def key(self, at: int) -> tuple[int, list[tuple[str, int]]]:
        """Read a dotted key: the offset behind it, and each part with its own offset."""
        parts: list[tuple[str, int]] = []
        while True:
            start = at = self.blank(at)
            if self.text[at] in "\"'":
                at, name = self.string(at)
            else:
                at = _BARE.match(self.text, at).end()  # type: ignore[union-attr]
                name = self.text[start:at]
            parts.append((name, start))
            end = self.blank(at)
            if self.text[end] != ".":
                return end, parts
            at = end + 1

    def string(self, at: int) -> tuple[int, str]:
        """Read a string of any of the four kinds; only one-line ones can be keys."""
        basic = self.text[at] == '"'
        found = (_BASIC if basic else _LITERAL).match(self.text, at)
        end = found.end()  # type: ignore[union-attr]
        body = self.text[at + 1 : end - 1]
        return end, _ESCAPE.sub(_unescape, body) if basic else body

    def blank(self, at: int) -> int:
        return _BLANK.match(self.text, at).end()  # type: ignore[union-attr]

    def between(self, at: int) -> int:
        return _BETWEEN.match(self.text, at).end()  # type: ignore[union-attr]


def _unescape(found: re.Match[str]) -> str:
    plain, *codes = found.groups()
    return _PLAIN[plain] if plain else chr(int(next(filter(None, codes)), 16))
