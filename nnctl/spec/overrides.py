"""``--set a.b.c=value``: one value laid over the tables of a spec, before anything is checked."""

from __future__ import annotations

from typing import Any

import tomli

from nnctl.errors import Problem

from .files import Tree
from .positions import Path as Keys
from .positions import split_key
from .source import Flag
from .suggest import hint as suggestion
from .writer import shown


def apply(tree: Tree, flags: list[str]) -> list[Problem]:
    """Lay the values of all flags over the tree; return what is wrong with them."""
    return [problem for text in flags if (problem := _apply(tree, text)) is not None]


class _Refused(Exception):
    """A flag that cannot be applied: message and hint."""


def _apply(tree: Tree, text: str) -> Problem | None:
    try:
        keys, value = _read(text)
        path = _put(tree.data, keys, value)
    except _Refused as refused:
        message, hint = refused.args
        return Problem(message, hint, file=f"--set {text}")
    for old in [p for p in tree.trace.origins if p[: len(path)] == path]:
        del tree.trace.origins[old]
    tree.trace.origins[path] = Flag(f"--set {text}", path)
    return None


def _read(text: str) -> tuple[list[str], Any]:
    key, equals, raw = text.partition("=")
    keys = split_key(key.strip())
    if not equals or not keys:
        raise _Refused(
            f'expected key=value, given "{text}"',
            "write --set training.epochs=20, or --set layers.0.units=64",
        )
    if keys == ["extends"]:
        raise _Refused("extends cannot be set from outside", "write it in a spec file")
    return keys, _typed(raw.strip())


def _typed(raw: str) -> Any:
    """Read a value as TOML; what is not TOML is a string."""
    try:
        parsed = tomli.loads(f"v = {raw}")
    except tomli.TOMLDecodeError:
        return raw
    except RecursionError:
        message = "arrays or tables nested hundreds of levels deep"
        raise _Refused(message, "write a value as in a spec") from None
    return parsed["v"] if len(parsed) == 1 else raw


def _put(data: dict[str, Any], keys: list[str], value: Any) -> Keys:
    """Set the value at the keys, opening tables on the way; return its path."""
    path: Keys = ()
    here: Any = data
    for at, key in enumerate(keys):
        last = at == len(keys) - 1
        if isinstance(here, list):
            step: str | int = _index(here, key, path)
        elif isinstance(here, dict):
            step = key
            if not last:
                here.setdefault(key, {})
        else:
            raise _not_a_table(path, here)
        path = (*path, step)
        if last:
            here[step] = value
        else:
            here = here[step]
    return path


def _not_a_table(path: Keys, here: Any) -> _Refused:
    name = ".".join(map(str, path))
    return _Refused(f"{name} is {shown(here)}, which has no keys", f"set {name} as a whole")


def _index(entries: list[Any], key: str, path: Keys) -> int:
    """Find an entry by its number from 0, its name, or its automatic name TYPE_k."""
    name = ".".join(map(str, path))
    if key.lstrip("-").isdigit():
        if 0 <= int(key) < len(entries):
            return int(key)
        most = f"{name} has {len(entries)} entries: 0 to {len(entries) - 1}"
        raise _Refused(f"{name}.{key} does not exist", most)
    names = entry_names(entries)
    if key not in names:
        raise _Refused(f'no entry of {name} is named "{key}"', suggestion(key, names, "names"))
    return names.index(key)


def entry_names(entries: list[Any]) -> list[str]:
    """Name each entry: its own name, or TYPE_k, the k-th of its type in the list."""
    counts: dict[str, int] = {}
    names = []
    for entry in entries:
        table = entry if isinstance(entry, dict) else {}
        kind, name = table.get("type"), table.get("name")
        kind = kind if isinstance(kind, str) else "layer"
        if kind == "block" and isinstance(table.get("block"), str):
            names.append(name if isinstance(name, str) else table["block"])
            continue
        counts[kind] = counts.get(kind, 0) + 1
        names.append(name if isinstance(name, str) else f"{kind}_{counts[kind]}")
    return names
