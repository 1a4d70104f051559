"""What a place expects, in words: from its type and bounds, so that they are written once."""

from __future__ import annotations

from math import isfinite
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from . import registry
from .base import Expect, SpecModel
from .places import Slot
from .registry import FAMILIES, Tagged
from .writer import inline

_HUGE = 1e6
_PLAIN = {str: "a string", bool: "true or false", dict: "a table", list: "a list"}


def describe(slot: Slot, *, value: Any = None) -> str:
    """Name what a slot expects; bounds far away are left out unless ``value`` is beyond them."""
    said = slot.note(Expect)
    if said is not None:
        return str(said.text)
    texts: list[str] = []
    literals: list[str] = []
    for branch in slot.branches():
        if branch.note(Expect) is None and get_origin(branch.kind) is Literal:
            literals += map(inline, get_args(branch.kind))
        elif branch.kind is not NoneType:
            texts.append(_branch(branch, value))
    if literals:
        few = literals[0] if len(literals) == 1 else f"one of {', '.join(literals)}"
        texts.append(few)
    return " or ".join(dict.fromkeys(texts))


def _branch(slot: Slot, value: Any) -> str:
    said, tagged = slot.note(Expect), slot.note(Tagged)
    if said is not None:
        return str(said.text)
    if tagged is not None:
        return _tagged(tagged, value)
    if slot.kind in (int, float):
        noun = "an integer" if slot.kind is int else "a number"
        return noun + _bounds(slot, value)
    if get_origin(slot.kind) is list:
        return f"a list of {_plural(describe(Slot(get_args(slot.kind)[0]).unwrapped()))}"
    if isinstance(slot.kind, type) and issubclass(slot.kind, SpecModel):
        return "a table"
    kind = get_origin(slot.kind) or slot.kind
    if kind is str and _bound(slot, "max_length") == 1:
        return "one character"
    if kind is str and _bound(slot, "min_length"):
        return "a string that is not empty"
    return _PLAIN.get(kind, str(kind))


def _tagged(tagged: Tagged, value: Any) -> str:
    family = FAMILIES[tagged.family]
    known = registry.tags(tagged.family)
    example = value if value in known else min(known, key=len)
    article = "an" if family.noun[0] in "aeiou" else "a"
    if tagged.short:
        return f'the name of {article} {family.noun}, or a table {{ {tagged.key} = "..." }}'
    return f'a table with {tagged.key} = "{example}", for example'


def _bound(slot: Slot, name: str) -> Any:
    found = [getattr(note, name, None) for note in slot.notes]
    return next((bound for bound in found if bound is not None), None)


def _number(bound: Any) -> Any:
    """Write 1000000.0 as 1000000."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound


def _bounds(slot: Slot, value: Any) -> str:
    low, above, high, below = (_number(_bound(slot, name)) for name in ("ge", "gt", "le", "lt"))
    top = high if high is not None else below
    number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if top is not None and top >= _HUGE and not (number and value >= top):
        high = below = None
    if low is not None and low <= -_HUGE and not (number and value <= low):
        low = None
    if low is not None and high is not None:
        return f" from {low} to {high}"
    parts = []
    if low is not None:
        parts.append(f"of at least {low}")
    if above is not None:
        parts.append(f"above {above}")
    if high is not None:
        parts.append(f"of at most {high}")
    if below is not None:
        parts.append(f"below {below}")
    return f" {' and '.join(parts)}" if parts else ""


def _plural(text: str) -> str:
    article, _, rest = text.partition(" ")
    noun, _, more = rest.partition(" ")
    return f"{noun}s {more}".strip() if article in ("a", "an") else text
