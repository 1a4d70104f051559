"""A text file, plain or gzipped, in UTF-8: one long sequence of tokens. Stdlib only.

Line ends are those of Unix, whatever they are in the file; a mark of the byte order is dropped.
"""

from __future__ import annotations

from pathlib import Path

from nnctl.data.files import open_binary, refuse_other_kinds
from nnctl.data.problems import in_file
from nnctl.data.sources.base import Content, Field, Options, Source, Wanted
from nnctl.errors import DataError, Problem

EXTENSIONS = (".txt", ".txt.gz")

_BOM = b"\xef\xbb\xbf"


def open_source(path: Path, options: Options) -> TextFile:
    """Name a text file; nothing of it is read yet."""
    return TextFile(path)


class TextFile(Source):
    """A text, which is neither rows nor columns: it is read whole, or not at all."""

    noun = "text"

    def __init__(self, path: Path, characters: int | None = None) -> None:
        super().__init__(path, ("text",))
        self.characters = characters  # how many it must have, if that is known

    def read(self, wanted: Wanted, *, keep: bool) -> Content:
        """Read the lines as records of one field; refuse where numbers are expected."""
        if wanted.inputs or set(wanted.fields) - {"text"}:
            raise DataError(self.describe("a text, and rows are expected here", "give a table"))
        lines = [(k, line) for k, line in enumerate(self.text().split("\n"), 1) if line.strip()]

        def place(row: int, message: str, hint: str) -> Problem:
            return in_file(self.path, message, hint, line=lines[row][0])

        fields = {"text": Field("text", "text", values=[line for _, line in lines])}
        numbers = [number for number, _ in lines]
        return Content(len(lines), {}, {}, fields, dict, place, lines=numbers)

    def text(self) -> str:
        """Return the text. Raises DataError with the offset of a byte that is not UTF-8."""
        with open_binary(self.path) as file:
            found = decoded(file.read(), self.path)
        if self.characters is not None and len(found) != self.characters:
            message = f"{len(found)} characters, expected {self.characters}"
            raise DataError(self.describe(message, "the bundled file was changed; install again"))
        return found


def decoded(raw: bytes, path: Path) -> str:
    """Return the text of a file. Raises DataError with the offset of a byte that is not UTF-8."""
    refuse_other_kinds(raw, path)
    try:
        found = raw.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        offset = error.start + (len(_BOM) if raw.startswith(_BOM) else 0)
        line = raw.count(b"\n", 0, offset) + 1
        message = f"not UTF-8: byte 0x{raw[offset]:02x} at byte offset {offset}"
        hint = f"save the file as UTF-8, e.g. iconv -f latin1 -t utf-8 {path.name}"
        raise DataError(in_file(path, message, hint, line=line)) from None
    return found.replace("\r\n", "\n").replace("\r", "\n")


def at(path: Path, text: str, place: int, message: str, hint: str) -> Problem:
    """Name a mistake at a character of a text."""
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    return in_file(path, message, hint, line=line, column=column)
