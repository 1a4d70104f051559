"""From pydantic's errors to findings: what was given, what was expected, what was meant.

Branches on error codes and on the models, never on pydantic's texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import isfinite
from os.path import commonprefix
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from . import registry
from .base import Finding
from .describe import describe
from .elsewhere import home_of
from .places import Place, Slot, fields, follow, tagged_of
from .registry import FAMILIES
from .suggest import distance, hint, nearest
from .writer import shown

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """A finding with an absolute path, and what it is about."""

    finding: Finding
    kind: Literal["key", "value", "missing", "conflict"]
    mends: str = ""  # the key that was meant: that it is missing need not be said

    @property
    def value(self) -> bool:
        """Whether the place to show is that of the value, rather than of the key."""
        return self.kind == "value"


def translate(root: Slot, data: Any, error: ValidationError) -> list[Fault]:
    """Turn a validation error of raw data into findings, one for each mistake."""
    faults: list[Fault] = []
    plain: dict[Path, Fault] = {}
    for entry in error.errors(include_url=False):
        loc, code = entry["loc"], entry["type"]
        place = follow(root, data, loc)
        if code == "conflict":
            found = entry["ctx"]["findings"]
            faults += [Fault(f.under(*place.path), "conflict") for f in found]
        elif code == "missing":
            faults.append(_missing(place, str(loc[-1])))
        elif code == "extra_forbidden":
            faults.append(_unknown_key(root, data, follow(root, data, loc[:-1]), str(loc[-1])))
        elif code in ("unknown_tag", "missing_tag"):
            faults.append(_tag(place, entry["ctx"]))
        else:
            plain.setdefault(place.path, _unexpected(place))
    return _settled(faults, plain)


def _settled(faults: list[Fault], plain: dict[Path, Fault]) -> list[Fault]:
    """Drop what another finding explains better."""
    paths = [fault.finding.path for fault in faults] + list(plain)
    kept = [
        fault
        for path, fault in plain.items()
        if not any(len(p) > len(path) and p[: len(path)] == path for p in paths)
    ]
    mended = {(f.finding.path[:-1], f.mends) for f in faults if f.mends}
    tables = {path for path, key in mended if key in ("extends", "type", "generate")}

    def explained(fault: Fault) -> bool:
        *table, key = fault.finding.path
        known = (tuple(table), key) in mended or tuple(table) in tables
        return known and fault.kind == "missing"

    return [fault for fault in faults if not explained(fault)] + kept


def _unexpected(place: Place) -> Fault:
    expected = describe(place.slot, value=place.value) if place.slot else "something else"
    if isinstance(place.value, float) and not isfinite(place.value):
        expected = expected.replace("a number", "a finite number", 1)
    message = f"expected {expected}, given {shown(place.value)}"
    remedy = ""
    if place.slot is not None and isinstance(place.value, str):
        choices = [w for branch in place.slot.branches() for w in _literals(branch)]
        near = nearest(place.value, choices)
        remedy = f'did you mean "{near}"?' if near else ""
    remedy = remedy or _unquoted(place) or _brackets(place)
    return Fault(Finding(place.path, message, remedy), "value")


def _literals(slot: Slot) -> list[str]:
    words = get_args(slot.kind) if get_origin(slot.kind) is Literal else ()
    return [word for word in words if isinstance(word, str)]


def _brackets(place: Place) -> str:
    """A table and a list of tables differ by a pair of brackets."""
    name = ".".join(map(str, place.path))
    lists = [get_origin(b.kind) is list for b in place.slot.branches()] if place.slot else []
    if isinstance(place.value, dict) and lists == [True]:
        return f"write [[{name}]], in double brackets"
    if isinstance(place.value, list) and lists == [False] and place.value:
        return f"write [{name}], in single brackets" if isinstance(place.value[0], dict) else ""
    return ""


def _unquoted(place: Place) -> str:
    """A number or boolean in quotes is a string."""
    kinds = {branch.kind for branch in place.slot.branches()} if place.slot else set()
    if isinstance(place.value, str) and kinds & {int, float, bool}:
        try:
            float(place.value)
        except ValueError:
            if place.value not in ("true", "false") or bool not in kinds:
                return ""
        return "write it without quotes"
    return ""


def _missing(place: Place, key: str) -> Fault:
    model = place.slot.model(place.value) if place.slot else None
    slot = fields(model).get(key) if model is not None else None
    expected = f": expected {describe(slot)}" if slot is not None else ""
    said = "" if model is None else _description(model, key)
    if isinstance(place.value, str) and model is not None:  # the short form of a table
        said = f'write it as a table: {{ type = "{place.value}", {key} = ... }}'
    return Fault(Finding((*place.path, key), f'missing "{key}"{expected}', said), "missing")


def _description(model: Any, key: str) -> str:
    for name, info in model.model_fields.items():
        if (info.alias or name) == key:
            return f"{key}: {info.description}"
    return ""


def _unknown_key(root: Slot, data: Any, table: Place, key: str) -> Fault:
    model = table.slot.model(table.value) if table.slot else None
    legal = list(fields(model)) if model is not None else []
    near = nearest(key, legal)
    free = nearest(key, [name for name in legal if name not in table.value])
    if near and free and _as_near(key, free, near):
        near = free  # a key that is there already is less likely meant
    path = (*table.path, key)
    message = f'unknown key "{key}"{_of(table)}'
    if model is not None and key in model.called:
        return Fault(Finding(path, message, model.called[key]), "key")
    if near is None or distance(key.lower(), near) > 1:
        home = home_of(root, data, table.path, key, guess=near is None)
        if home:
            return Fault(Finding(path, message, home), "key")
    return Fault(
        Finding(path, message, hint(key, legal, "keys", near=near)), "key", mends=near or ""
    )


def _as_near(key: str, one: str, other: str) -> bool:
    """Whether ``one`` is as few edits away as ``other``, and begins alike as long."""
    start = len(commonprefix([key, one])) >= len(commonprefix([key, other]))
    return distance(key, one) <= distance(key, other) and start


def _of(table: Place) -> str:
    """Say which kind of table it is that does not know a key."""
    tagged = tagged_of(table.slot, table.value) if table.slot else None
    if tagged is not None:
        noun = FAMILIES[tagged.family].noun.removesuffix(" type")
        return f' of {noun} "{table.value[tagged.key]}"'
    return f" of [{'.'.join(map(str, table.path))}]" if table.path else ""


def _tag(place: Place, context: dict[str, Any]) -> Fault:
    """The key that chooses a type is missing, misspelt, or names no type."""
    family, key = context["family"], context["key"]
    value, choices = place.value, registry.tags(family)
    noun = FAMILIES[family].noun
    path = place.path
    if isinstance(value, str):
        return Fault(Finding(path, f'unknown {noun} "{value}"', hint(value, choices)), "value")
    if key in value:
        given = value[key]
        if not isinstance(given, str):
            message = f"expected the name of {_article(noun)}, given {shown(given)}"
            return Fault(Finding((*path, key), message, hint("", choices)), "value")
        message = f'unknown {noun} "{given}"'
        return Fault(Finding((*path, key), message, hint(given, choices)), "value")
    close = [name for name in value if nearest(name, [key])]
    if close:
        message = f'unknown key "{close[0]}"'
        return Fault(
            Finding((*path, close[0]), message, f'did you mean "{key}"?'), "key", mends=key
        )
    message = f'missing "{key}": expected the name of {_article(noun)}'
    return Fault(Finding((*path, key), message, hint("", choices)), "missing")


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def relocate(faults: Iterable[Fault], prefix: Path) -> Iterator[Fault]:
    """Shift findings of a part of the spec to where the part stands."""
    for fault in faults:
        yield replace(fault, finding=fault.finding.under(*prefix))
