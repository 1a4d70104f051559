"""JSON lines, plain or gzipped: an object a line, whose fields are texts. Stdlib only.

The first object names the fields; every other one must have them too. Where a text is wanted, a
number is none; classes and amounts may be numbers. What JSON has not (NaN), a field that is named
twice, and halves of characters are refused.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nnctl.data.files import open_binary, text_lines
from nnctl.data.problems import file_error, first_of, in_file, listing
from nnctl.data.sources.base import Content, Field, Options, Source, Wanted
from nnctl.data.tokens import lone_surrogate
from nnctl.errors import DataError, Problem

EXTENSIONS = (".jsonl", ".jsonl.gz")


def open_source(path: Path, options: Options) -> Source:
    """Read the names of the fields off the first object."""
    return JsonLines(path)


class JsonLines(Source):
    """A file of objects, a record each."""

    noun = "field"
    merges = False

    def __init__(self, path: Path) -> None:
        first = next(_objects(path), None)
        if first is None:
            raise file_error(path, "the file has no records", "write an object a line")
        super().__init__(path, tuple(first[1]))

    def read(self, wanted: Wanted, *, keep: bool) -> Content:
        """Read the texts of some fields. Raises DataError with the line of every mistake."""
        if wanted.inputs:
            message = "fields of JSON lines are texts, and numbers are expected here"
            raise DataError(self.describe(message, "give a table, or read tokens (data.tokens)"))
        texts: dict[str, list[str]] = {name: [] for name in wanted.fields}
        lines, problems = array("l"), list[Problem]()
        for line, record in _objects(self.path):
            lines.append(line)
            for name, values in texts.items():
                value = record.get(name)
                wrong = _wrong(name, value, record, text=name in wanted.texts)
                if wrong:
                    problems.append(in_file(self.path, *wrong, line=line))
                values.append(str(value))
        if problems:
            raise DataError(first_of(problems))

        def place(row: int, message: str, hint: str) -> Problem:
            return in_file(self.path, message, hint, line=lines[row])

        fields = {name: Field(name, "text", values=values) for name, values in texts.items()}
        return Content(len(lines), {}, {}, fields, dict, place, lines=lines)


class _Strange(ValueError):
    """What Python reads as JSON, and what is none or says less than it seems to."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def _constant(name: str) -> Any:
    raise _Strange(f"no JSON: {name} is no value of it", "write a number, or leave the record out")


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise _Strange(f'field "{twice}" is there twice', "leave one of them out")
    return found


_DECODER = json.JSONDecoder(parse_constant=_constant, object_pairs_hook=_object)


def _wrong(name: str, value: Any, record: dict[str, Any], *, text: bool) -> tuple[str, str] | None:
    """Say what is wrong with a field's value, and what to do."""
    if name not in record:
        return f'no field "{name}"', f"fields here: {listing(record)}"
    if value is None or value == "":
        return f'field "{name}": the value is missing', "fill it in, or leave the record out"
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        kind = type(value).__name__
        return f'field "{name}": expected a text, given a {kind}', "write it in double quotes"
    if not isinstance(value, str):
        message = f'field "{name}": expected a text, given the number {value}'
        return (message, "write it in double quotes") if text else None
    half = lone_surrogate(value)
    if half is not None:
        message = f'field "{name}": \\u{ord(value[half]):04x} (character {half + 1}) is half of a'
        hint = r"write both halves, such as \ud83d\ude00, or leave it out"
        return f"{message} character", hint
    return None


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each object with its line; blank lines are skipped."""
    with open_binary(path) as file:
        for line, text in enumerate(text_lines(file, path), 1):
            if not text.strip():
                continue
            try:
                found = _DECODER.decode(text)
            except _Strange as error:
                raise file_error(path, str(error), error.hint, line=line) from None
            except (json.JSONDecodeError, RecursionError) as error:
                column = getattr(error, "colno", 1)
                message = f"no JSON: {getattr(error, 'msg', 'too deeply nested')}"
                hint = 'write an object a line, e.g. {"input": "abc", "target": "cba"}'
                raise DataError(in_file(path, message, hint, line=line, column=column)) from None
            if not isinstance(found, dict):
                message = f"expected an object, given a {type(found).__name__}"
                raise file_error(path, message, 'write {"input": ..., "target": ...}', line=line)
            yield line, found
