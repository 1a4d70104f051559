"""The topics of ``nnctl explain``: all of it is read off the spec's models."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import indent
from typing import Any, Protocol

from pydantic import BaseModel

from nnctl.spec import Spec
from nnctl.spec.base import SpecModel
from nnctl.spec.describe import describe
from nnctl.spec.places import Slot
from nnctl.spec.registry import FAMILIES, homes, model, tags
from nnctl.spec.writer import inline, plain


class Topic(Protocol):
    """What can be explained."""

    def text(self) -> str:
        """Return it for people."""

    def document(self) -> dict[str, Any]:
        """Return it for programs."""


Topics = dict[str, list[Topic]]


@dataclass(frozen=True)
class OfModel:
    """A type, or a table of the spec."""

    title: str
    model: type[SpecModel]

    def text(self) -> str:
        rows = [_field_text(field) for field in self.document()["fields"]]
        return "\n\n".join([self.title, indent(_doc(self.model), "  "), "\n".join(rows)]).rstrip()

    def document(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "text": _doc(self.model),
            "fields": [
                _field(info.alias or name, info, Slot.of(info))
                for name, info in self.model.model_fields.items()
                if name not in ("type", "generate")
            ],
        }


@dataclass(frozen=True)
class OfFamily:
    """All types of a family."""

    family: str

    def text(self) -> str:
        width = max(map(len, tags(self.family)))
        rows = [f"  {tag.ljust(width)}  {line}" for tag, line in self._lines()]
        return "\n".join([f"{self.family}: one of", *rows])

    def document(self) -> dict[str, Any]:
        return {"title": self.family, "types": dict(self._lines())}

    def _lines(self) -> Iterator[tuple[str, str]]:
        for tag in tags(self.family):
            yield tag, _doc(model(self.family, tag)).partition("\n")[0]


def find_all() -> Topics:
    """Return every topic by its name; a name that two families have is two entries."""
    found: Topics = {}
    for family, kind in FAMILIES.items():
        if family != "entries":
            found.setdefault(family, []).append(OfFamily(family))
        for tag in homes(family):
            title = f'{kind.key} = "{tag}" ({kind.noun})'
            _add(found, tag, OfModel(title, model(family, tag)))
    for path, table in _tables(Spec, ()):
        name = ".".join(path)
        _add(found, name, OfModel(f"[{name}]", table))
        _add(found, path[-1], OfModel(f"[{name}]", table))
    return found


def _add(found: Topics, name: str, topic: OfModel) -> None:
    """Add a topic, unless its model is there: an activation is a layer too."""
    entries = found.setdefault(name, [])
    if all(not isinstance(entry, OfModel) or entry.model is not topic.model for entry in entries):
        entries.append(topic)


def index(known: Topics) -> str:
    """Return the list of all topics, family by family."""
    tables = sorted(".".join(path) for path, _ in _tables(Spec, ()))
    blocks = sorted(set(homes("entries")) - set(homes("layers")))
    lines = [f"tables: {', '.join(tables)}", f"blocks: {', '.join(blocks)}"]
    families = [family for family in FAMILIES if family != "entries"]
    lines += [f"{family}: {', '.join(tags(family))}" for family in families]
    return "\n".join([*lines, "", "nnctl explain TOPIC tells more of each"])


def _tables(owner: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every table of the spec that has a model of its own, and those inside it."""
    for name, info in owner.model_fields.items():
        for branch in Slot.of(info).branches():
            kind = branch.kind
            tagged = {"type", "generate"} & set(getattr(kind, "model_fields", ()))
            if isinstance(kind, type) and issubclass(kind, SpecModel) and not tagged:
                inside = (*path, info.alias or name)
                yield inside, kind
                yield from _tables(kind, inside)


def _doc(documented: type) -> str:
    return inspect.cleandoc(documented.__doc__ or "").replace("``", "`")


def _field(name: str, info: Any, slot: Slot) -> dict[str, Any]:
    return {
        "name": name,
        "expects": describe(slot),
        "required": info.is_required(),
        "default": None
        if info.is_required()
        else plain(info.get_default(call_default_factory=True)),
        "description": info.description or "",
    }


def _field_text(field: dict[str, Any]) -> str:
    if field["required"]:
        rest = "required"
    elif field["default"] is None:
        rest = "optional"
    else:
        rest = f"default {inline(field['default'])}"
    lines = [f"{field['expects']}; {rest}", *filter(None, [field["description"]])]
    return f"  {field['name']}\n" + indent("\n".join(lines), "      ")
