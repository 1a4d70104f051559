"""Where in the line of a record a text stands: the line is read again, once a mistake is found."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from nnctl.data.files import open_binary, text_lines
from nnctl.data.sources.base import Source
from nnctl.data.sources.table import Table


def column_of(source: Source, line: int, field: str, text: str, start: int) -> int:
    """Return the column of the character ``start`` of a field's text, or 1 where the file has it
    written otherwise: in quotes that are doubled, or over several lines."""
    raw = _line(source.path, line)
    begin = 0
    if isinstance(source, Table):
        place, cells = source.names.index(field), raw.split(source.delimiter)
        begin = sum(len(cell) + 1 for cell in cells[:place])
        if len(cells) != len(source.names):
            return 1
    elif source.noun == "field":
        begin = raw.find(f'"{field}"') + len(field) + 2
    found = raw.find(text, begin)
    return 1 if found < 0 else found + start + 1


def _line(path: Path, line: int) -> str:
    with open_binary(path) as file:
        return next(islice(text_lines(file, path), line - 1, None), "").rstrip("\r\n")
