"""Text cut into characters, words or bytes, and the vocabularies that number them. Stdlib only.

A word is a run of letters, digits and underscores, with apostrophes inside; a line's end is a word,
and so is every other sign. White space else only separates. Symbols are in the order of their code
points; special ones, such as that for what is unknown, come first. All 256 bytes are known always.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from nnctl.spec.info import START, STOP

__all__ = ["START", "STOP", "UNKNOWN", "Kind", "Prompt", "Tokens", "Vocabulary", "tokens"]

Kind = Literal["character", "word", "byte"]
Tokens = Sequence[str] | bytes

UNKNOWN = "<unknown>"

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|\n|[^\w\s]")
_HALF = re.compile("[\ud800-\udfff]")
_NAMES = {" ": "space", "\n": "newline", "\t": "tab"}


def tokens(text: str, kind: Kind) -> Tokens:
    """Cut a text; bytes are those of UTF-8."""
    if kind == "byte":
        return text.encode()
    return text if kind == "character" else _WORD.findall(text)


def lone_surrogate(text: str) -> int | None:
    """Return the place of the first half of a character, which no UTF-8 can hold; None: all are
    whole."""
    found = _HALF.search(text)
    return found.start() if found else None


def start_of(text: str, kind: Kind, token: int) -> int:
    """Return the place of a token in its text, in characters."""
    if kind == "character":
        return token
    if kind == "byte":
        return len(text.encode()[:token].decode(errors="ignore"))
    matches = (match.start() for k, match in enumerate(_WORD.finditer(text)) if k == token)
    return next(matches, len(text))


@dataclass(frozen=True)
class Prompt:
    """A text to go on from, and the name of the file that it is of, if it is."""

    text: str
    file: str = ""


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of an input or a target: ``specials``, then ``texts``, which bytes need not."""

    kind: Kind
    texts: tuple[str, ...] = ()
    specials: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many symbols there are."""
        return len(self.specials) + (256 if self.kind == "byte" else len(self.texts))

    @property
    def names(self) -> tuple[str, ...]:
        """What people call the symbols: a space is ``space``, a line's end ``newline``."""
        if self.kind == "byte":
            return (*self.specials, *map(_byte_name, range(256)))
        return (*self.specials, *map(legible, self.texts))

    @cached_property
    def _index(self) -> dict[str, int]:
        return {text: k for k, text in enumerate(self.texts, len(self.specials))}

    def knows(self, token: str) -> bool:
        """Whether a character or word has a symbol of its own."""
        return token in self._index

    def code(self, special: str) -> int:
        """Return the index of a special symbol; -1 if there is none of that name."""
        return self.specials.index(special) if special in self.specials else -1

    def codes(self, found: Tokens) -> array[int]:
        """Return the index of each token; of one that is not known that of UNKNOWN, or -1."""
        if isinstance(found, bytes):
            return array("q", (len(self.specials) + byte for byte in found))
        unknown, index = self.code(UNKNOWN), self._index
        return array("q", (index.get(token, unknown) for token in found))

    def text(self, codes: Iterable[int]) -> str:
        """Return the text that indices stand for; special symbols are left out."""
        plain = (k - len(self.specials) for k in codes if k >= len(self.specials))
        if self.kind == "byte":
            return bytes(plain).decode(errors="replace")
        found = (self.texts[k] for k in plain)
        return "".join(found) if self.kind == "character" else " ".join(found)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists and strings; ``from_json`` is the inverse."""
        return {"kind": self.kind, "texts": list(self.texts), "specials": list(self.specials)}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Vocabulary:
        """Return the vocabulary that ``to_json`` wrote."""
        return cls(table["kind"], tuple(table["texts"]), tuple(table["specials"]))


def made_of(found: Iterable[Tokens], kind: Kind, specials: tuple[str, ...]) -> Vocabulary:
    """Return the vocabulary of some tokens."""
    if kind == "byte":
        return Vocabulary(kind, (), specials)
    distinct = {token for each in found for token in set(each)}
    return Vocabulary(kind, tuple(sorted(map(str, distinct))), specials)


def unknown_places(found: Tokens, vocabulary: Vocabulary) -> Iterator[int]:
    """Yield the first place of each token that is not in the vocabulary, in order."""
    if isinstance(found, bytes) or UNKNOWN in vocabulary.specials:
        return
    strange = {token for token in set(found) if not vocabulary.knows(token)}
    if strange:
        for place, token in enumerate(found):
            if token in strange:
                strange.remove(token)
                yield place


def legible(token: str) -> str:
    """Return a token so that people see it: itself, a name, or the number of its code point."""
    if token in _NAMES:
        return _NAMES[token]
    plain = token.isprintable() and not token.isspace()
    return token if plain else " ".join(f"U+{ord(sign):04X}" for sign in token)


def _byte_name(byte: int) -> str:
    sign = chr(byte)
    if sign in _NAMES:
        return _NAMES[sign]
    return sign if 0x20 < byte < 0x7F else f"0x{byte:02X}"
