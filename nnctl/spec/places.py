"""What the spec's models expect at a path of the tables: the way from a path to a field."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from . import registry
from .base import SpecModel
from .registry import Tagged, is_single

Path = tuple[str | int, ...]
Model = type[SpecModel]


@dataclass(frozen=True)
class Slot:
    """A place for a value: its type, and what is said about it (bounds, Tagged, Expect)."""

    kind: Any
    notes: tuple[Any, ...] = field(default=())

    @classmethod
    def of(cls, info: FieldInfo) -> Slot:
        """The slot of a model's field."""
        return cls(info.annotation, tuple(info.metadata)).unwrapped()

    def unwrapped(self) -> Slot:
        """Fold ``Annotated`` into the notes."""
        slot = self
        while get_origin(slot.kind) is Annotated:
            inner, *notes = get_args(slot.kind)
            slot = Slot(inner, (*notes, *slot.notes))
        notes = [
            n
            for note in slot.notes
            for n in (note.metadata if isinstance(note, FieldInfo) else [note])
        ]
        return Slot(slot.kind, tuple(notes))

    def note(self, kind: type) -> Any:
        """The last note of a kind, or None."""
        return next((note for note in reversed(self.notes) if isinstance(note, kind)), None)

    def branches(self) -> Iterator[Slot]:
        """The alternatives of a union, None left out; notes on all of them are kept."""
        if get_origin(self.kind) in (Union, types.UnionType):
            for kind in get_args(self.kind):
                if kind is not type(None):
                    yield from Slot(kind, self.notes).unwrapped().branches()
        else:
            yield self

    def model(self, value: Any) -> Model | None:
        """The model that a raw value at this place would be read with."""
        for branch in self.branches():
            tagged = branch.note(Tagged)
            if tagged is not None:
                tag = value.get(tagged.key) if isinstance(value, dict) else value
                known = isinstance(tag, str) and tag in registry.homes(tagged.family)
                return registry.model(tagged.family, str(tag)) if known else None
            if get_origin(branch.kind) is dict and is_single(value):
                entry = Slot(get_args(branch.kind)[1]).unwrapped()
                return entry.model(value) if entry.note(Tagged) else None
            if isinstance(branch.kind, type) and issubclass(branch.kind, SpecModel):
                return branch.kind
        return None

    def step(self, key: str | int, value: Any) -> Slot | None:
        """The slot of an entry of the raw value at this place."""
        model = self.model(value)
        if model is not None:
            return fields(model).get(str(key)) if isinstance(value, dict) else None
        for branch in self.branches():
            origin, inner = get_origin(branch.kind), get_args(branch.kind)
            if origin is list and isinstance(key, int):
                return Slot(inner[0]).unwrapped()
            if origin is dict and isinstance(value, dict):
                return Slot(inner[1]).unwrapped()
        return None


@cache
def fields(model: type[BaseModel]) -> dict[str, Slot]:
    """The keys of a table, each with its slot."""
    return {info.alias or name: Slot.of(info) for name, info in model.model_fields.items()}


@dataclass(frozen=True)
class Place:
    """A path of the raw tables, as far as it exists: the value there, and its slot."""

    path: Path
    value: Any
    slot: Slot | None


def follow(root: Slot, data: Any, loc: Path) -> Place:
    """Walk a location through raw data; parts that name no key (branches of unions) are skipped."""
    path: Path = ()
    slot: Slot | None = root
    for part in loc:
        inside = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data)
        )
        if inside:
            slot = slot.step(part, data) if slot else None
            data = data[part]
            path = (*path, part)
    return Place(path, data, slot)


def tagged_of(slot: Slot, value: Any) -> Tagged | None:
    """The family that chooses the table at a slot, also where one loss stands for all."""
    for branch in slot.branches():
        tagged = branch.note(Tagged)
        if tagged is None and get_origin(branch.kind) is dict and is_single(value):
            tagged = Slot(get_args(branch.kind)[1]).unwrapped().note(Tagged)
        if tagged is not None:
            return tagged  # type: ignore[no-any-return]
    return None
