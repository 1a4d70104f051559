"""Where a key that is unknown at one place would be legal: only ever asked about a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from . import registry
from .places import Model, Slot, fields, follow, tagged_of
from .registry import Tagged
from .suggest import nearest

Path = tuple[str | int, ...]


def home_of(root: Slot, data: Any, table: Path, key: str, *, guess: bool) -> str:
    """Say where ``key`` belongs: another type of the same choice, or another table; else "".

    With ``guess``, also where a key that is spelt nearly alike belongs.
    """
    place = follow(root, data, table)
    tagged = tagged_of(place.slot, place.value) if place.slot else None
    if tagged is not None:
        tags = registry.tags(tagged.family)
        owners = [tag for tag in tags if key in fields(registry.model(tagged.family, tag))]
        if owners:
            types = ", ".join(f'"{tag}"' for tag in owners)
            return f'"{key}" is a key of {tagged.key} = {types}'
    known = list(tables(root))
    if guess and not any(key in keys for _, keys in known):
        key = nearest(key, {name for _, keys in known for name in keys}) or key
    homes = list(dict.fromkeys(header for header, keys in known if key in keys))
    return f'"{key}" belongs in {" or ".join(homes)}' if homes else ""


def tables(root: Slot) -> Iterator[tuple[str, set[str]]]:
    """All tables of the spec by their header, with the keys that they may hold."""
    model = root.kind
    yield "the top of the file", set(fields(model))
    for name, slot in fields(model).items():
        for owner in _models(slot):
            listed = any(get_origin(branch.kind) is list for branch in slot.branches())
            yield f"[[{name}]]" if listed else f"[{name}]", set(fields(owner))
            for inner, below in fields(owner).items():
                for part in _models(below, tagged=False):
                    yield f"[{name}.{inner}]", set(fields(part))


def _models(slot: Slot, *, tagged: bool = True) -> Iterator[Model]:
    """The models that a slot, or an entry of its list or table, may be."""
    for branch in slot.branches():
        family = branch.note(Tagged)
        if family is not None:
            if tagged:
                yield from (registry.model(family.family, t) for t in registry.tags(family.family))
        elif get_origin(branch.kind) in (list, dict):
            yield from _models(Slot(get_args(branch.kind)[-1]).unwrapped(), tagged=tagged)
        elif isinstance(branch.kind, type) and hasattr(branch.kind, "model_fields"):
            yield branch.kind
