"""One long text: a token is a step, windows of tokens are the samples, what follows is the target.

The vocabulary is made of the training part. Stdlib only: ``check`` reads through this.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nnctl.data import cutting, kinds, long
from nnctl.data.cutting import Frame
from nnctl.data.long import Long, require_steps
from nnctl.data.opening import Opened, Opener
from nnctl.data.problems import SpecPath, first_of
from nnctl.data.reading import Reading
from nnctl.data.roles import Roles
from nnctl.data.sources.base import Content
from nnctl.data.sources.text import TextFile, at
from nnctl.data.tokens import (
    UNKNOWN,
    Kind,
    Tokens,
    Vocabulary,
    legible,
    made_of,
    start_of,
    tokens,
    unknown_places,
)
from nnctl.errors import DataError, Problem, SpecError
from nnctl.spec.info import DataInfo, TargetInfo
from nnctl.spec.shapes import Shape

if TYPE_CHECKING:
    import numpy as np

    from nnctl.spec.data import DataSpec

TRAINED = "the training part"
_ROLES = Roles({"": ("text",)}, {"": ("text",)}, {})


@dataclass(frozen=True)
class _Read:
    """A text as it was read, and its tokens."""

    source: TextFile
    text: str
    tokens: Tokens
    kind: Kind

    def place(self, token: int, message: str, hint: str) -> Problem:
        """Name a mistake at a token."""
        place = start_of(self.text, self.kind, token)
        return at(self.source.path, self.text, place, message, hint)


@dataclass(frozen=True)
class OpenedText(Opened):
    """A text, its tokens numbered by a vocabulary."""

    codes: array[int]
    vocabulary: Vocabulary
    frame: Frame

    def labels(self, name: str) -> Sequence[int]:
        """Return the tokens' indices: they are the target as well."""
        return self.codes

    def reading(self) -> Reading:
        """Return how the text was read, with its vocabulary."""
        shapes: dict[str, Shape] = {"": (self.frame.window,)}
        known = {"": self.vocabulary}
        name = self.source.path.name
        return Reading(name, "text", None, shapes, {"": "int64"}, self.targets, vocabularies=known)

    def info(self) -> DataInfo:
        """Return the header of the data."""
        return replace(super().info(), vocabularies={"": self.vocabulary.size})


def open_main(opener: Opener, *, keep: bool) -> Long:
    """Open ``data.source`` as a text. Raises DataError with file and line, SpecError for keys."""
    data, frame = opener.data, cutting.of_text(opener.data)
    kind: Kind = data.tokens or "character"
    _refuse_idle(opener, kind)
    main = _read(opener, str(data.source), ("data", "source"), kind)
    others = {part: _read(opener, *named, kind) for part, named in _files(opener).items()}
    require_steps(main.source, len(main.tokens), frame, kind)
    blocks = cutting.blocks(len(main.tokens), frame, data, others, kind, opener.locate)
    specials = (UNKNOWN,) if data.unknown else ()
    vocabulary = made_of([main.tokens[: blocks["train"].stop]], kind, specials)
    opened = {part: _numbered(other, vocabulary, frame) for part, other in others.items()}
    for other in opened.values():
        require_steps(other.source, other.content.samples, frame, kind)
    return Long(_numbered(main, vocabulary, frame), frame, blocks, opened)


def open_more(
    opener: Opener, reading: Reading, name: str, *, labeled: bool = True, whose: str = TRAINED
) -> OpenedText:
    """Open another text with the vocabulary of the one that was trained on. Raises DataError.

    ``whose`` vocabulary that is, is for people.
    """
    vocabulary, frame = reading.vocabularies[""], cutting.of_text(opener.data)
    read = _read(opener, name, ("data", "source"), vocabulary.kind)
    opened = _numbered(read, vocabulary, frame, whose)
    count = opened.content.samples
    require_steps(opened.source, count, frame, vocabulary.kind, labeled=labeled)
    return opened if labeled else replace(opened, targets={})


def _files(opener: Opener) -> dict[str, tuple[str, SpecPath]]:
    """Return the names of the parts' own files, and the keys that give them."""
    found: dict[str, tuple[str, SpecPath]] = {}
    for part in ("test", "validation"):
        given = getattr(opener.data, part)
        if isinstance(given, str):
            found[part] = (given, ("data", part))
        elif given is not None:
            found[part] = (given.source, ("data", part, "source"))
    return found


def _read(opener: Opener, name: str, path: SpecPath, kind: Kind) -> _Read:
    source = opener.by_name(name, path)
    if not isinstance(source, TextFile):
        message = f"{source.path.name} is no text, and the data are one"
        raise DataError(opener.locate(path, message, "give a file whose name ends in .txt"))
    text = source.text()
    return _Read(source, text, tokens(text, kind), kind)


def _numbered(
    read: _Read, vocabulary: Vocabulary, frame: Frame, whose: str = TRAINED
) -> OpenedText:
    """Number the tokens. Raises DataError at the first of each that is not known."""
    problems = list(_strange(read, vocabulary, whose))
    if problems:
        raise DataError(first_of(problems))
    codes = vocabulary.codes(read.tokens)

    def inputs() -> dict[str, np.ndarray]:
        import numpy as np  # not above: `check` imports this file

        return {"": np.frombuffer(codes, np.int64)}

    content = Content(len(codes), {"": ()}, {"": "int64"}, {}, inputs, read.place)
    info = TargetInfo("class", vocabulary.size, vocabulary.names)
    targets = {"": long.ahead(info, frame)}
    return OpenedText(read.source, _ROLES, content, targets, codes, vocabulary, frame)


def _strange(read: _Read, vocabulary: Vocabulary, whose: str) -> Iterator[Problem]:
    hint = "clean the text, or set data.unknown = true to read all such as one symbol"
    for token in unknown_places(read.tokens, vocabulary):
        sign = legible(str(read.tokens[token]))
        message = f'{read.kind} "{sign}" is not in {whose}'
        yield read.place(token, message, hint)


def _refuse_idle(opener: Opener, kind: Kind) -> None:
    """Raise SpecError for keys that a text cannot obey."""
    data, source = opener.data, opener.by_name(str(opener.data.source), ("data", "source"))
    problems = [*kinds.idle(data, source, opener.locate), *_columns(data, opener)]
    if data.horizon == 0:
        message = "0 is the symbol that is read: the network would read the answer"
        problems.append(
            opener.locate(("data", "horizon"), message, "leave it out, or set 1 or more")
        )
    if kind == "byte" and data.unknown:
        message = "has no effect: every byte is known"
        problems.append(opener.locate(("data", "unknown"), message, "remove it"))
    if problems:
        raise SpecError(problems)


def _columns(data: DataSpec, opener: Opener) -> Iterator[Problem]:
    message = "has no effect: a text has no columns, and what follows is its target"
    for key in ("target", "targets", "features", "inputs", "delimiter", "header", "task"):
        if getattr(data, key) is not None:
            yield opener.locate(("data", key), message, "remove it")
    if data.split.order is not None:
        yield opener.locate(("data", "split", "order"), message, "remove it: a text is in order")
    for key, idle in (("normalize", "none"), ("normalize_target", False)):
        if getattr(data, key) != idle:
            message = "has no effect: tokens are not scaled"
            yield opener.locate(("data", key), message, "remove it")
