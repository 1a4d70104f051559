"""Where every value of a spec came from: a file, its base, or a ``--set`` flag. Stdlib only."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nnctl.errors import Problem

from .positions import Path as Keys
from .positions import Positions, positions

_IN_FILE = {"losses": "loss", "from_": "from", "with_": "with", "problem_": "problem"}


@dataclass(frozen=True, eq=False)
class File:
    """A text with lines; they are looked for only when something is wrong."""

    name: str
    text: str

    @cached_property
    def positions(self) -> Positions:
        """Where the keys are."""
        return positions(self.text)


@dataclass(frozen=True)
class Flag:
    """A ``--set`` flag, and the path that it sets."""

    text: str
    path: Keys


@dataclass
class Trace:
    """What turns a path of the spec into file, line and column, or into a flag.

    ``origins`` maps paths of the merged tables to where they came from; the longest start of a
    path decides. ``moved`` maps layers of the resolved spec to where they stand in the tables.
    """

    folder: Path
    origins: dict[Keys, File | Flag] = field(default_factory=dict)
    moved: dict[Keys, Keys] = field(default_factory=dict)

    def raw(self, path: Keys) -> Keys:
        """Turn a path of the resolved spec into one of the tables as written."""
        path = tuple(_IN_FILE.get(str(part), part) for part in path if part != "")
        for end in range(len(path), 0, -1):
            if path[:end] in self.moved:
                return (*self.moved[path[:end]], *path[end:])
        return path

    def origin(self, path: Keys) -> File | Flag:
        """Name the file or flag that a raw path came from."""
        ends = (path[:end] for end in range(len(path), -1, -1))
        found = next(self.origins[start] for start in ends if start in self.origins)
        if isinstance(found, File):
            # A table that no file holds was opened by a flag that sets a key in it.
            for end in range(len(path), 0, -1):
                if path[:end] in found.positions.keys:
                    break
                inner = (o for p, o in self.origins.items() if p[:end] == path[:end])
                if (opened := next(inner, None)) is not None:
                    return opened
        return found

    def problem(self, path: Keys, message: str, hint: str = "", *, value: bool = False) -> Problem:
        """Make a Problem at a path of the resolved spec; with ``value``, not at the key."""
        return self.written(self.raw(path), message, hint, value=value)

    def written(self, path: Keys, message: str, hint: str = "", *, value: bool = False) -> Problem:
        """Make a Problem at a path of the tables as they are written."""
        origin = self.origin(path)
        if isinstance(origin, File) and path not in origin.positions.keys:
            # Where one name stands for a list of one, no file has the list's index.
            while path and isinstance(path[-1], int):
                path = path[:-1]
        dotted = ".".join(map(str, path))
        if isinstance(origin, Flag):
            own = path == origin.path
            return Problem(message, hint, file=origin.text, path="" if own else dotted)
        line, column = origin.positions.find(path, value=value)
        return Problem(message, hint, origin.name, line, column, dotted)


def lookup(data: Any, path: Keys) -> Any:
    """Return the value at a path of plain tables and lists. Raises KeyError, IndexError."""
    for part in path:
        if not isinstance(data, dict | list):
            raise KeyError(part)
        data = data[part]  # type: ignore[index]
    return data
