"""Files of records of text: which they are, and which of their fields is input and which target.

A table has a header if its first row holds the names that the spec gives, or else input and target;
without one its columns are input and target in turn. Stdlib only.
"""

from __future__ import annotations

from collections.abc import Iterable

from nnctl.data.files import require_file
from nnctl.data.opening import Opener
from nnctl.data.problems import SpecPath
from nnctl.data.sources import table
from nnctl.data.sources.base import Defaults, Source
from nnctl.data.sources.jsonl import JsonLines
from nnctl.data.sources.text import TextFile
from nnctl.errors import DataError

USUAL = ("input", "target")


def open_records(opener: Opener, name: str, path: SpecPath, known: Iterable[str] = ()) -> Source:
    """Open a file of records: a table, JSON lines, or a record a line; ``known`` are the columns of
    the file that these belong to. Raises DataError."""
    if name.lower().endswith(table.EXTENSIONS):
        opener.require_file(name, path)
        file = opener.base_dir / name
        require_file(file)
        tab = file.name.lower().endswith((".tsv", ".tsv.gz"))
        delimiter = opener.data.delimiter or ("\t" if tab else ",")
        header = opener.data.header
        first = next(table.rows(file, delimiter), (0, []))[1]
        has_header = _is_header(first, opener, known) if header is None else header
        records = table.Table(file, delimiter, has_header)
        records.is_record = True
        found: Source = records
    else:
        found = opener.by_name(name, path)
        if not isinstance(found, JsonLines | TextFile):
            message = f"{found.path.name} holds no records of text"
            hint = "give a table or JSON lines (.jsonl), or remove data.tokens"
            raise DataError(opener.locate(path, message, hint))
    found.merges = False
    found.defaults = _defaults(found.names, opener.data.target)
    return found


def _defaults(names: tuple[str, ...], target: str | None) -> Defaults:
    """Return which fields are input and target where the spec does not say."""
    if set(USUAL) <= set(names) and target in (None, "target"):
        return Defaults(target="target", inputs=("input",))
    if len(names) > 2:
        return Defaults()
    rest = tuple(name for name in names if name != target)
    return Defaults(target=names[1] if len(names) == 2 else None, inputs=rest[:1])


def _is_header(first: list[str], opener: Opener, known: Iterable[str]) -> bool:
    """Whether a row holds a name that the spec gives, or a ``known`` one."""
    data = opener.data
    lists = [*(data.inputs or {}).values(), *(data.targets or {}).values(), data.features or []]
    named = {name for names in lists for name in names} | ({data.target} if data.target else set())
    named = {name for name in {*named, *known} if not name.startswith(("column_", "@"))}
    return not named.isdisjoint(first) or "input" in first
