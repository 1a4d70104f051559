"""Say where a mistake in the data lies: a key of the spec, or a line of a file. Stdlib only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from nnctl.errors import DataError, Problem

SpecPath = tuple[str | int, ...]
Locate = Callable[[SpecPath, str, str], Problem]

# Enough to see a pattern in a broken file, few enough to read.
MAX_PROBLEMS = 10


def by_path(path: SpecPath, message: str, hint: str = "") -> Problem:
    """Name a key of the spec without its line: the locator where no spec file is at hand."""
    return Problem(message, hint, path=".".join(map(str, path)))


def in_file(file: Path, message: str, hint: str = "", *, line: int = 0, column: int = 1) -> Problem:
    """Name a file, and the line and character of it where there is one."""
    return Problem(message, hint, file=str(file), line=line, column=column if line else 0)


def file_error(file: Path, message: str, hint: str = "", *, line: int = 0) -> DataError:
    """Make the error for one mistake in a file."""
    return DataError(in_file(file, message, hint, line=line))


def first_of(problems: Iterable[Problem], more: int = 0) -> list[Problem]:
    """Return the first problems, and how many there are beside them; ``more`` were not listed."""
    found = list(problems)
    more += max(len(found) - MAX_PROBLEMS, 0)
    rest = [Problem(f"and {more} more")] if more else []
    return found[:MAX_PROBLEMS] + rest


def listing(names: Iterable[str], limit: int = 12) -> str:
    """Write names as a list, cut where it gets long: ``a, b, c, ... (40 in all)``."""
    names = list(names)
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown}, ... ({len(names)} in all)"


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 sample``, ``3 classes``."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{count} {noun if count == 1 else plural}"
