"""CSV and TSV, plain or gzipped, read as a stream with the line of every mistake. Stdlib only.

The first row is a header unless it holds a number where the second row holds one too and no column
turns from words to numbers; columns without a header are called column_1, column_2, ...
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from math import isfinite, isinf
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.data.files import open_binary, text_lines
from nnctl.data.problems import MAX_PROBLEMS, counted, file_error, first_of, in_file
from nnctl.data.sources.base import Content, Field, Options, Source, Wanted
from nnctl.errors import DataError, Problem

if TYPE_CHECKING:
    import numpy as np

EXTENSIONS = (".csv", ".csv.gz", ".tsv", ".tsv.gz")

Row = tuple[int, list[str]]  # line number of the row's end, cells

# What people write where a value is missing; none of them is a number here.
_MISSING = {"", "na", "n/a", "nan", "null", "none", "?", "-"}


def open_source(path: Path, options: Options) -> Source:
    """Read the header of a table."""
    tab = path.name.endswith((".tsv", ".tsv.gz"))
    return Table(path, options.delimiter or ("\t" if tab else ","), options.header)


class Table(Source):
    """A delimited text file: a sample a row, a field a column."""

    is_table = True
    is_text = True
    is_record = False  # a row is a record of text, of one column an empty one where it is blank

    def __init__(self, path: Path, delimiter: str, header: bool | None) -> None:
        self.delimiter, self.path = delimiter, path
        first = list(islice(rows(path, delimiter), 2))
        if not first:
            raise file_error(path, "the file has no rows", "write a header and one row a sample")
        line, cells = first[0]
        self._check_delimiter(line, cells)
        self.has_header = looks_like_header(first) if header is None else header
        if not self.has_header:
            cells = [f"column_{k}" for k in range(1, len(cells) + 1)]
        super().__init__(path, tuple(cells))
        if self.has_header:
            self._check_names(line)

    def _check_delimiter(self, line: int, cells: list[str]) -> None:
        found = next((mark for mark in ";\t|," if mark in cells[0]), None)
        if len(cells) == 1 and found and self.delimiter in ",\t":
            mine = {",": "comma", "\t": "tab"}[self.delimiter]
            message = f"no {mine} in the first row, but {found!r}"
            shown = "\\t" if found == "\t" else found
            raise file_error(self.path, message, f'set data.delimiter = "{shown}"', line=line)

    def _check_names(self, line: int) -> None:
        problems = []
        for position, name in enumerate(self.names):
            if not name:
                message = f"column {position + 1} has no name in the header"
                hint = "name it; pandas writes a nameless index unless to_csv(index=False)"
            elif name in self.names[:position]:
                first = self.names.index(name) + 1
                message = f'two columns are called "{name}": columns {first} and {position + 1}'
                hint = "give every column a name of its own"
            else:
                continue
            problems.append(in_file(self.path, message, hint, line=line))
        if problems:
            raise DataError(problems[:MAX_PROBLEMS])

    def read(self, wanted: Wanted, *, keep: bool) -> Content:
        """Read every row once; numbers of the inputs go to one flat array of doubles."""
        columns = [name for names in wanted.inputs.values() for name in names]
        scan = _Scan(self, columns, wanted.fields, keep)
        scan.run()
        fields = {name: Field(name, "text", values=scan.texts[name]) for name in wanted.fields}
        shapes = {key: (len(names),) for key, names in wanted.inputs.items()}

        def inputs() -> dict[str, np.ndarray]:
            return _matrices(scan.numbers, wanted)

        def place(row: int, message: str, hint: str) -> Problem:
            return in_file(self.path, message, hint, line=scan.lines[row])

        dtypes = dict.fromkeys(shapes, "float64")
        return Content(len(scan.lines), shapes, dtypes, fields, inputs, place, lines=scan.lines)


def _matrices(numbers: array[float], wanted: Wanted) -> dict[str, np.ndarray]:
    import numpy as np  # not above: `check` imports this file

    width = sum(map(len, wanted.inputs.values()))
    flat = np.frombuffer(numbers, dtype=np.float64).reshape(-1, width)
    found, start = {}, 0
    for key, names in wanted.inputs.items():
        found[key] = np.array(flat[:, start : start + len(names)], order="C")
        start += len(names)
    return found


class _Scan:
    """One pass over the rows of a table, collecting values and mistakes."""

    def __init__(
        self, table: Table, columns: Sequence[str], fields: Sequence[str], keep: bool
    ) -> None:
        self.table, self.columns, self.keep = table, columns, keep
        self.numbers: array[float] = array("d")
        self.lines: array[int] = array("l")
        self.texts: dict[str, list[str]] = {name: [] for name in fields}
        self.problems: list[Problem] = []
        self.more = 0  # that are not listed
        self.positions = [table.names.index(name) for name in columns]
        self.fields = [(table.names.index(name), self.texts[name]) for name in fields]

    def run(self) -> None:
        """Read all rows; raise DataError with the first mistakes, or where there is no row."""
        table = self.table
        pick = _picker(self.positions)
        stream = rows(table.path, table.delimiter, blank=table.is_record and len(table.names) == 1)
        if table.has_header:
            next(stream)
        for line, cells in stream:
            if len(cells) != len(table.names):
                self._ragged(line, cells)
            else:
                self._take(line, cells, pick(cells))
        if self.problems:
            raise DataError(first_of(self.problems, self.more))
        if not self.lines:
            message = "the file has a header but no rows"
            raise file_error(table.path, message, "write one row a sample under the header")

    def _take(self, line: int, cells: list[str], picked: Sequence[str]) -> None:
        try:
            numbers = list(map(float, picked))
        except ValueError:
            numbers = [float("nan")]
        # One look at the sum and at the joined text stands for a look at each cell.
        if not isfinite(sum(numbers)) or "_" in "".join(picked):
            self._check_cells(line, cells, picked)
        for position, values in self.fields:
            missing = cells[position].lower() in ("", "nan")  # "none" may well be a class
            if missing and position not in self.positions:  # of inputs it is told above
                name = self.table.names[position]
                self._report(line, cells, position, f'column "{name}": the value is missing')
            values.append(cells[position])
        self.lines.append(line)
        if self.keep:
            self.numbers.extend(numbers)

    def _check_cells(self, line: int, cells: list[str], picked: Sequence[str]) -> None:
        for name, position, cell in zip(self.columns, self.positions, picked, strict=True):
            if parse_number(cell) is not None:
                continue
            if cell.lower() in _MISSING:
                message = f'column "{name}": the value is missing (given "{cell}")'
                self._report(line, cells, position, message)
            else:
                message = f'column "{name}": expected a number, given "{cell}"'
                hint = "encode it as numbers, or leave the column out with data.features"
                if _is_too_large(cell):
                    message = f'column "{name}": the number is too large (given "{cell}")'
                    hint = "write it in other units, or leave the column out with data.features"
                self._report(line, cells, position, message, hint)

    def _report(
        self, line: int, cells: list[str], position: int, message: str, hint: str = ""
    ) -> None:
        hint = hint or "fill it in, or leave the row or the column out (data.features)"
        # Right where no cell is quoted or padded, which is where a cell is easily found.
        start = 1 + sum(len(cell) + len(self.table.delimiter) for cell in cells[:position])
        self._note(in_file(self.table.path, message, hint, line=line, column=start))

    def _note(self, problem: Problem) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more += 1

    def _ragged(self, line: int, cells: list[str]) -> None:
        expected = counted(len(self.table.names), "cell")
        message = f"the row has {counted(len(cells), 'cell')}, expected {expected} as in the first"
        hint = "a cell that holds the delimiter must be in double quotes"
        if len(self.table.names) == 1 or len(cells) == 1:
            hint = 'is the delimiter right? set data.delimiter, e.g. ";"'
        self._note(in_file(self.table.path, message, hint, line=line))


def _picker(positions: list[int]) -> Callable[[list[str]], Sequence[str]]:
    """Return what picks cells of a row; a run of neighbors is much faster as a slice."""
    start = positions[0] if positions else 0
    if positions == list(range(start, start + len(positions))):
        return itemgetter(slice(start, start + len(positions)))
    return itemgetter(*positions)


def rows(path: Path, delimiter: str, blank: bool = False) -> Iterator[Row]:
    """Yield the rows of a table with their line numbers, cells stripped, blank lines skipped;
    ``blank``: those between others are rows of one empty cell."""
    skipped = list[int]()
    with open_binary(path) as file:
        reader = csv.reader(text_lines(file, path), delimiter=delimiter, strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                message, hint = str(error), "a double quote inside a cell is written twice"
                if "new-line" in message:
                    message = "a carriage return within a line"
                    hint = "end lines in LF or CRLF; in a cell it must be in double quotes"
                raise file_error(path, message, hint, line=reader.line_num) from None
            if cells is None:
                return
            if not cells:
                skipped.append(reader.line_num)
                continue
            yield from ((line, [""]) for line in skipped if blank)
            skipped.clear()
            yield reader.line_num, [cell.strip() for cell in cells]


def parse_number(cell: str) -> float | None:
    """Return the finite number that a cell is, else None; Python's 1_000 is not one."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if isfinite(value) and "_" not in cell else None


def _is_too_large(cell: str) -> bool:
    """Tell whether a cell is a number beyond double precision, such as 1e999."""
    try:
        return isinf(float(cell)) and any(c.isdigit() for c in cell)
    except ValueError:
        return False


def looks_like_header(first: list[Row]) -> bool:
    """Tell whether the first of one or two rows names the columns."""
    top = [parse_number(cell) is not None for cell in first[0][1]]
    if len(first) == 1:
        return not any(top)
    below = [parse_number(cell) is not None for cell in first[1][1]]
    pairs = list(zip(top, below, strict=False))
    if any(not number and under for number, under in pairs):
        return True
    return not any(top)
