"""A spec as plain data and as TOML text, with every default written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


def plain(value: Any) -> Any:
    """Turn a model into tables, lists and scalars under the names of the file; None is left out."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        pairs = ((info.alias or name, getattr(value, name)) for name, info in fields.items())
        return {key: plain(entry) for key, entry in pairs if entry is not None}
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value


def key(name: str) -> str:
    """Write a key, quoted where it must be."""
    return name if _BARE.match(name) else text(name)


def text(value: str) -> str:
    """Write a basic string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def inline(value: Any) -> str:
    """Write a value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, dict):
        pairs = [f"{key(name)} = {inline(entry)}" for name, entry in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    return str(value) if not isinstance(value, float) else repr(value)


def shown(value: Any, limit: int = 60) -> str:
    """Write a value as the user would have, cut where it is long: for messages."""
    line = inline(value)
    return line if len(line) <= limit else f"{line[: limit - 3]}..."


def toml(spec: BaseModel) -> str:
    """Write a whole spec: plain values first, then a table each, layers as ``[[layers]]``."""
    tree = plain(spec)
    losses = tree.pop("loss")
    tree["loss"] = losses.get("", losses)
    tables = {name: entry for name, entry in tree.items() if _is_table(entry)}
    lines = [f"{key(name)} = {inline(entry)}" for name, entry in tree.items() if name not in tables]
    for name, entry in tables.items():
        lines += _table(name, entry)
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and _has_tables(value))


def _has_tables(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(entry, dict) for entry in value)


def _table(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for entry in value:
            yield from _body(f"[[{key(name)}]]", entry)
    elif name == "loss" and "type" not in value:
        for output, entry in value.items():
            yield from _body(f"[loss.{key(output)}]", entry)
    else:
        yield from _body(f"[{key(name)}]", value)


def _body(header: str, entries: dict[str, Any]) -> Iterator[str]:
    yield from ("", header)
    yield from (f"{key(name)} = {inline(entry)}" for name, entry in entries.items())
