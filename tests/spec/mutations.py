"""One-edit misspellings of the keys of a TOML text, and where the keys stand. Knows no nnctl."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

# A key at the start of a line, in a header, or in an inline table; never in a string or a comment.
KEY = re.compile(
    r"""(?P<skip>"(?:[^"\\]|\\.)*"(?!\s*=)|'[^']*'(?!\s*=)|\#[^\n]*)
      | (?P<header>^\s*\[\[?[^\]\n]+\]\]?)
      | (?P<quoted>"[^"\n]*")(?=\s*=)
      | (?P<key>[A-Za-z_][A-Za-z0-9_-]*)(?=\s*=)""",
    re.VERBOSE | re.MULTILINE,
)
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Key:
    """A key of a text: the word and where it stands."""

    word: str
    start: int
    end: int
    line: int


def keys(text: str) -> Iterator[Key]:
    """Find every key and every part of a table header."""
    for found in KEY.finditer(text):
        if found["skip"] or found["quoted"]:
            continue
        for word in WORD.finditer(found.group()):
            start = found.start() + word.start()
            yield Key(
                word.group(), start, start + len(word.group()), text.count("\n", 0, start) + 1
            )


def edits(word: str, rng: random.Random) -> list[str]:
    """Make a handful of one-edit misspellings: delete, swap, substitute, insert."""
    at = rng.randrange(len(word))
    swap = rng.randrange(len(word) - 1)
    made = {
        word[:at] + word[at + 1 :],
        word[:swap] + word[swap + 1] + word[swap] + word[swap + 2 :],
        word[:at] + rng.choice(LETTERS) + word[at + 1 :],
        word[:at] + rng.choice(LETTERS) + word[at:],
        word[:-1],
        word + word[-1],
    }
    return sorted(made - {word})


def every_edit(word: str) -> Iterator[str]:
    """All one-edit misspellings."""
    for at in range(len(word)):
        yield word[:at] + word[at + 1 :]
        yield from (word[:at] + letter + word[at + 1 :] for letter in LETTERS + "_")
        if at + 1 < len(word):
            yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    for at in range(len(word) + 1):
        yield from (word[:at] + letter + word[at:] for letter in LETTERS + "_")
