"""Records of text: an input and a target each, sequences of tokens of any length.

Targets are sequences too, which end in a stop symbol, unless ``task`` says that they are classes or
numbers. The vocabularies are made of all records of the main file. Stdlib only: ``check`` reads
through this.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nnctl.data import kinds, targets
from nnctl.data.locating import column_of
from nnctl.data.opening import Opened, Opener
from nnctl.data.problems import MAX_PROBLEMS, SpecPath, counted, first_of
from nnctl.data.reading import Reading
from nnctl.data.record_files import USUAL, open_records
from nnctl.data.roles import Roles, assign
from nnctl.data.sources.base import Content, Field, Source, Wanted
from nnctl.data.tokens import (
    START,
    STOP,
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

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class OpenedRecords(Opened):
    """Records whose inputs, and targets that are sequences, are numbered by vocabularies."""

    codes: Mapping[str, list[array[int]]]  # of each input, a record each
    answers: Mapping[str, list[array[int]]]  # of each target that is a sequence, with its stop
    read_as: Reading

    def labels(self, name: str) -> Sequence[Any] | None:
        """Return a target's indices, a row a record where it is a sequence; -1 is padding."""
        if name not in self.answers:
            return super().labels(name)
        steps = self.targets[name].steps or 0
        return [padded(codes, steps, -1) for codes in self.answers[name]]

    def lengths(self) -> dict[str, Sequence[int]]:
        """Return the tokens of each record, by input."""
        return {name: list(map(len, codes)) for name, codes in self.codes.items()}

    def reading(self) -> Reading:
        """Return how the records were read."""
        return self.read_as

    def info(self) -> DataInfo:
        """Return the header of the data."""
        sizes = {name: known.size for name, known in self.read_as.vocabularies.items()}
        return replace(super().info(), vocabularies=sizes, lengths=tuple(self.codes))


def padded(codes: array[int], count: int, filler: int) -> array[int]:
    """Return indices followed by as much filling as is missing."""
    return codes + array("q", [filler]) * (count - len(codes))


@dataclass(frozen=True)
class RecordOpener(Opener):
    """Opens the main file of records, then others that must fit it."""

    def main(self, *, keep: bool) -> OpenedRecords:
        """Open ``data.source``. Raises DataError with file and line, SpecError for keys."""
        data = self.data
        source = open_records(self, str(data.source), ("data", "source"))
        self._refuse(source)
        roles = assign(source, data, self.locate)
        for name in roles.mirrors:
            path = ("data", "targets", name) if name else ("data", "target")
            message = "tokens are not rebuilt: they are symbols, not numbers"
            raise SpecError(self.locate(path, message, "name the field of the targets"))
        read = _Records(source, roles, data.tokens or "character", data.max_length)
        answers = {} if data.task else {name: names[0] for name, names in roles.targets.items()}
        content = read.content(answers.values())
        special = (UNKNOWN,) if data.unknown else ()
        return read.opened(content, read.first_reading(content, answers, special, data.task))

    def like(
        self,
        main: Reading,
        name: str,
        path: SpecPath,
        *,
        target: str | None = None,
        keep: bool,
        labeled: bool = True,
    ) -> OpenedRecords:
        """Open other records with the vocabularies and lengths of the main ones."""
        roles = main.roles
        known = [name for names in roles.inputs.values() for name in names] if roles else []
        source = open_records(self, name, path, known)
        if roles is None or not _has(source, roles, labeled):
            roles = assign(source, self.data, self.locate, labeled=labeled)
        roles = replace(roles, targets=roles.targets if labeled else {}, group=None, order=None)
        kind = next(iter(main.vocabularies.values())).kind
        read = _Records(source, roles, kind, None, main)
        said = [names[0] for key, names in roles.targets.items() if key in main.answers]
        return read.opened(read.content(said), main if labeled else replace(main, targets={}))

    def _refuse(self, source: Source) -> None:
        problems = list(kinds.idle(self.data, source, self.locate))
        if self.data.normalize != "none":
            message = "has no effect: tokens are not scaled"
            problems.append(self.locate(("data", "normalize"), message, "remove it"))
        if problems:
            raise SpecError(problems)


def _has(source: Source, roles: Roles, labeled: bool) -> bool:
    wanted = roles.wanted(targets=labeled, columns=False)
    needed = {name for names in wanted.inputs.values() for name in names} | set(wanted.fields)
    return needed <= set(source.names)


@dataclass(frozen=True)
class _Records:
    """A file of records, how its texts are cut, and what it must fit."""

    source: Source
    roles: Roles
    kind: Kind
    max_length: int | None
    like: Reading | None = None

    def content(self, said: Iterable[str]) -> Content:
        """Read all fields, of which inputs and those ``said`` are texts. Raises DataError with the
        line of each mistake."""
        inputs = [name for names in self.roles.inputs.values() for name in names]
        others = self.roles.wanted().fields
        fields, texts = tuple(dict.fromkeys([*inputs, *others])), (*inputs, *said)
        return self.source.read(Wanted({}, fields, texts), keep=True)

    def cut(self, field: Field, content: Content, most: int | None) -> list[Tokens]:
        """Cut the texts of a field. Raises DataError for those without a token, or too long."""
        found, problems = [], list[Problem]()
        for row, text in enumerate(field.values or ()):
            each = tokens(text, self.kind)
            found.append(each)
            wrong = self._wrong(field.name, each, most)
            if wrong:
                message, hint = wrong
                problems.append(content.place(row, message, hint + self._if_header(row)))
        if problems:
            raise DataError(first_of(problems))
        return found

    def _wrong(self, name: str, found: Tokens, most: int | None) -> tuple[str, str] | None:
        if not len(found):
            return f'"{name}" holds no {self.kind}', "fill it in, or leave the record out"
        if most is not None and len(found) > most:
            message = f'"{name}" has {counted(len(found), self.kind)}, at most {most} are allowed'
            if self.like is None:
                return message, "shorten it, leave the record out, or raise data.max_length"
            return message, "shorten it, or train with a larger data.max_length"
        return None

    def first_reading(
        self,
        content: Content,
        answers: Mapping[str, str],
        special: tuple[str, ...],
        task: str | None,
    ) -> Reading:
        """Make the vocabularies, and find the lengths and what the targets are."""
        known, shapes, infos = {}, {}, {}
        for key, (name,) in self.roles.inputs.items():
            found = self.cut(content.fields[name], content, self.max_length)
            known[key] = made_of(found, self.kind, special)
            shapes[key] = (self.max_length or max(map(len, found)),)
        said = {}
        for key, name in answers.items():
            found = self.cut(content.fields[name], content, self.max_length)
            said[key] = made_of(found, self.kind, (START, STOP, *special))
            steps = (self.max_length or max(map(len, found))) + 1
            infos[key] = TargetInfo("class", said[key].size, said[key].names, steps)
        for key, names in self.roles.targets.items():
            if key not in answers:
                fields = [content.fields[name] for name in names]
                infos[key] = targets.decide(fields, task, None, content.place)
        roles = replace(self.roles, group=None, order=None)
        dtypes = dict.fromkeys(shapes, "int64")
        name, noun = self.source.path.name, self.source.noun
        return Reading(name, noun, roles, dict(shapes), dtypes, infos, {}, known, said)

    def opened(self, content: Content, reading: Reading) -> OpenedRecords:
        """Number all tokens. Raises DataError at those that are not known."""
        codes, answers = {}, {}
        for key, (name,) in self.roles.inputs.items():
            most = reading.shapes[key][0]
            codes[key] = self._numbered(name, content, reading.vocabularies[key], most)
        for key in reading.targets:
            if key in reading.answers:
                (name,), steps = self.roles.targets[key], reading.targets[key].steps or 1
                known = reading.answers[key]
                found = self._numbered(name, content, known, steps - 1)
                stop = array("q", [known.code(STOP)])
                answers[key] = [each + stop for each in found]

        def inputs() -> dict[str, np.ndarray]:
            import numpy as np  # not above: `check` imports this file

            return {
                key: np.array([padded(each, reading.shapes[key][0], 0) for each in found], np.int64)
                for key, found in codes.items()
            }

        content = replace(content, shapes=reading.shapes, dtypes=reading.dtypes, inputs=inputs)
        return OpenedRecords(
            self.source, self.roles, content, reading.targets, codes, answers, reading
        )

    def _numbered(
        self, name: str, content: Content, known: Vocabulary, most: int
    ) -> list[array[int]]:
        found = self.cut(content.fields[name], content, most)
        problems = list(self._strange(name, found, content, known))
        if problems:
            raise DataError(first_of(problems))
        return [known.codes(each) for each in found]

    def _strange(
        self, name: str, found: list[Tokens], content: Content, known: Vocabulary
    ) -> Iterator[Problem]:
        """Name the tokens that have no symbol, each at its first record."""
        seen: set[str] = set()
        for row, each in enumerate(found):
            for place in unknown_places(each, known):
                sign = str(each[place])
                if sign in seen:
                    continue
                seen.add(sign)
                whose = self.like.name if self.like else self.source.path.name
                message = (
                    f'"{name}": {self.kind} "{legible(sign)}" (number {place + 1}) is not in '
                    f"the vocabulary of {whose}"
                )
                hint = "clean the record, or train with data.unknown = true"
                problem = content.place(row, message, hint + self._if_header(row))
                if len(seen) <= MAX_PROBLEMS:
                    text = str((content.fields[name].values or ())[row])
                    start = start_of(text, self.kind, place)
                    column = column_of(self.source, problem.line, name, text, start)
                    problem = replace(problem, column=column)
                yield problem

    def _if_header(self, row: int) -> str:
        """What else to do about a first line that was not taken for a header."""
        if row or getattr(self.source, "has_header", True):
            return ""
        names = " and ".join(f'"{name}"' for name in USUAL[: len(self.source.names)])
        return f"\nif this line names the columns, call them {names}"
