"""From files to one tree of tables: TOML text, ``extends``, and where each value came from."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from nnctl.errors import Problem, SpecError

from .positions import Path as Keys
from .source import File, Trace
from .suggest import nearest
from .writer import shown

_TUPLE = re.compile(r"\('(.*?)',?\)")
_BETWEEN = "', '"
"""How the parser writes a dotted name: ``('a', 'b')``."""

MAX_CHAIN = 100
"""Files that may extend one another; beyond it lies Python's own limit."""

_PATHS = ("source", "target", "test", "validation")


@dataclass
class Tree:
    """The merged tables of a spec, and their trace."""

    data: dict[str, Any]
    trace: Trace


def read_tree(path: Path, text: str | None = None) -> Tree:
    """Read a spec file and all that it extends. Raises SpecError."""
    return _follow(path, File(str(path), _read(path) if text is None else text), [])


def text_tree(text: str, name: str, folder: Path) -> Tree:
    """Read a spec from a text that stands nowhere, such as that of a checkpoint."""
    # The name is for messages alone: a path in it must not move where relative paths start.
    return _follow(folder / Path(name).name, File(name, text), [])


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        near = nearest(path.name, _beside(path))
        hint = f'did you mean "{path.with_name(near)}"?' if near else ""
        raise SpecError(Problem("no such spec file", hint, file=str(path))) from None
    except IsADirectoryError:
        hint = "name a spec file in it"
        raise SpecError(
            Problem("expected a spec file, given a directory", hint, file=str(path))
        ) from None
    except OSError as error:
        raise SpecError(Problem(f"cannot be read: {error.strerror}", file=str(path))) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"expected UTF-8 text, given the byte 0x{raw[error.start]:02x}"
        hint = "is this a spec? it must be TOML, saved as UTF-8"
        raise SpecError(Problem(message, hint, str(path), line, column)) from None


def _beside(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def parse(file: File) -> dict[str, Any]:
    """Parse TOML. Raises SpecError with line and column."""
    try:
        return tomli.loads(file.text)
    except tomli.TOMLDecodeError as error:
        reason = _TUPLE.sub(lambda found: f"[{found[1].replace(_BETWEEN, '.')}]", error.msg)
        message = f"not TOML: {reason[:1].lower()}{reason[1:]}"
        line, remedy = error.lineno, _remedy(file.text, error.lineno)
        raise SpecError(Problem(message, remedy, file.name, line, error.colno)) from None
    except RecursionError:
        message = "not a spec: arrays or tables nested hundreds of levels deep"
        raise SpecError(Problem(message, file=file.name, line=1, column=1)) from None


def _remedy(text: str, line: int) -> str:
    """Say what most likely went wrong on a line that is not TOML."""
    lines = text.splitlines()
    given = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    value = given.partition("=")[2].strip()
    if value.split("#")[0].strip() in {"True", "False"}:
        return "booleans are written true and false"
    if value.split("#")[0].strip() in {"None", "null", "nil"}:
        return "there is no null in TOML: leave the key out"
    if value and value[0].isalpha():
        return "strings are written in quotes"
    if "=" in given and not value:
        return "a value is missing"
    if given.startswith("[") and given.endswith("]"):
        return "each table is written once; a list of tables has double brackets: [[layers]]"
    if ":" in given and "=" not in given:
        return "a key and its value are written key = value"
    return "is the key there already?" if value else ""


def _follow(path: Path, file: File, below: list[Path]) -> Tree:
    """Parse a file, then lay it over the one that it extends."""
    data = parse(file)
    trace = Trace(path.parent, {(): file})
    base = data.get("extends")
    if base is None:
        return Tree(data, trace)
    if not isinstance(base, str) or not base:
        message = f"expected the path of a spec file, given {shown(base)}"
        raise SpecError(trace.problem(("extends",), message, value=True))
    target = Path(os.path.normpath(path.parent / base))
    chain = [*below, Path(os.path.abspath(path))]
    if Path(os.path.abspath(target)) in chain:
        names = " -> ".join(p.name for p in [*chain, target])
        message = f"extends itself: {names}"
        raise SpecError(trace.problem(("extends",), message, "break the circle", value=True))
    if len(chain) > MAX_CHAIN:
        message = f"more than {MAX_CHAIN} files extend one another, up to {chain[0].name}"
        raise SpecError(trace.problem(("extends",), message, "join some of them", value=True))
    if not target.is_file():
        near = nearest(target.name, _beside(target))
        hint = f'did you mean "{Path(base).with_name(near)}"?\n' if near else ""
        hint += f"the path is relative to the folder of {path.name}"
        message = f'no such file: "{base}"'
        raise SpecError(trace.problem(("extends",), message, hint, value=True))
    under = _follow(target, File(str(target), _read(target)), chain)
    _rebase(under.data, under.trace.folder, path.parent)
    del data["extends"]
    return _overlay(under, Tree(data, trace))


def _rebase(data: dict[str, Any], old: Path, new: Path) -> None:
    """Make the paths of a base file relative to the folder of the file that extends it."""
    from .data import is_path

    if old == new:
        return
    start = data.get("init")
    name = start.get("from") if isinstance(start, dict) else None
    if isinstance(start, dict) and isinstance(name, str) and not os.path.isabs(name):
        start["from"] = os.path.relpath(old / name, new)
    table = data.get("data")
    if not isinstance(table, dict):
        return
    for key in _PATHS:
        value = table.get(key)
        if not isinstance(value, str) or not is_path(value) or os.path.isabs(value):
            continue
        if key != "target" or (old / value).exists():  # a target may be a column with a dot
            table[key] = os.path.relpath(old / value, new)


def _overlay(under: Tree, over: Tree) -> Tree:
    """Merge tables deeply; anything else, arrays too, is replaced whole."""
    trace = Trace(over.trace.folder, dict(over.trace.origins))

    def merge(low: dict[str, Any], high: dict[str, Any], at: Keys) -> dict[str, Any]:
        merged = dict(low)
        for key, value in high.items():
            old = low.get(key)
            if isinstance(old, dict) and isinstance(value, dict) and not _retyped(old, value):
                merged[key] = merge(old, value, (*at, key))
            else:
                merged[key] = value
        for key in low.keys() - high.keys():
            path = (*at, key)
            trace.origins[path] = under.trace.origin(path)
            inner = {p: o for p, o in under.trace.origins.items() if p[: len(path)] == path}
            trace.origins.update(inner)
        return merged

    return Tree(merge(under.data, over.data, ()), trace)


def _retyped(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether a tagged table is given another type: then nothing of the old one is kept."""
    return any(key in new and key in old and old[key] != new[key] for key in ("type", "generate"))
