"""The reference of every spec type, table and field, from their own docstrings and descriptions.

``nnctl explain TOPIC`` prints what is made here; nothing is written twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nnctl.errors import UsageError

from . import registry
from .base import LayerModel
from .describe import describe
from .metrics import METRICS, Metric
from .places import Slot
from .registry import FAMILIES, Tagged
from .suggest import hint
from .writer import inline, plain
from .written import SpecFile

_FAMILY_TOPICS = {name: about for name, about in FAMILIES.items() if name != "entries"}


@dataclass(frozen=True)
class Field:
    """One key of a table, for people."""

    key: str
    expects: str
    default: str  # TOML; "" where it must be given or is worked out
    required: bool
    text: str


@dataclass(frozen=True)
class Topic:
    """What can be explained: a table, a type, a family of types, or a metric."""

    name: str
    title: str
    text: str
    fields: tuple[Field, ...] = ()
    types: tuple[tuple[str, str], ...] = ()


def topics() -> dict[str, list[str]]:
    """List everything that can be explained, by kind."""
    kinds = {"tables": [name for name, _, _ in _tables()]}
    kinds |= {family: registry.tags(family) for family in _FAMILY_TOPICS if family != "activations"}
    return {**kinds, "blocks": ["block"], "metrics": list(METRICS)}


def find(name: str) -> list[Topic]:
    """Find the topics of a name: ``dense``, ``training``, ``training.epochs``, ``recall``, ...

    Raises UsageError with the nearest name and the list of all.
    """
    found = [
        *(_table(*table) for table in _tables() if table[0] == name),
        *(_family(family) for family in _FAMILY_TOPICS if family == name),
        *(_type(family, name) for family in _homes(name)),
        *(_metric(METRICS[known]) for known in METRICS if known == name),
    ]
    return found or _one_field(name)


def text(topic: Topic) -> str:
    """Write a topic for a terminal, 80 columns or so."""
    lines = [topic.title, "", topic.text]
    if topic.fields:
        lines.append("")
        wide = max(len(field.key) for field in topic.fields)
        lines += [line for field in topic.fields for line in _lines(field, wide)]
    if topic.types:
        wide = max(len(name) for name, _ in topic.types)
        lines += ["", *(f"  {name:<{wide}}  {said}" for name, said in topic.types)]
    return "\n".join(lines)


def _lines(field: Field, wide: int) -> Iterator[str]:
    need = "required" if field.required else f"default {field.default}" if field.default else ""
    yield f"  {field.key:<{wide}}  {field.text}"
    yield f"  {'':<{wide}}  {field.expects}" + (f"; {need}" if need else "")


def _homes(name: str) -> list[str]:
    """The families that have a type of this name; an activation is a layer already."""
    families = [family for family in FAMILIES if name in registry.homes(family)]
    return [f for f in families if f not in ("activations", "layers") or "entries" not in families]


def _one_field(name: str) -> list[Topic]:
    """Explain one key: ``training.epochs``, ``dense.units``."""
    owner, dot, key = name.rpartition(".")
    if dot:
        for topic in find(owner):
            fields = tuple(field for field in topic.fields if field.key == key)
            if fields:
                return [Topic(name, f"{key}, a key of {topic.title}", fields[0].text, fields)]
            remedy = hint(key, [field.key for field in topic.fields], "keys")
            raise UsageError(f'{topic.title} has no key "{key}"', remedy)
    names = [entry for entries in topics().values() for entry in entries] + list(_FAMILY_TOPICS)
    listing = "\n".join(f"{kind}: {', '.join(entries)}" for kind, entries in topics().items())
    near = hint(name, names).partition("\n")[0]
    remedy = f"{near}\n{listing}" if near.startswith("did you mean") else listing
    raise UsageError(f'nothing is called "{name}"', remedy)


def _tables() -> list[tuple[str, str, Any]]:
    """Every table of the spec: its dotted name, its header, its model."""
    found: list[tuple[str, str, Any]] = [("spec", "the spec file", SpecFile)]

    def walk(model: type[BaseModel], prefix: str) -> None:
        for name, info in model.model_fields.items():
            key = f"{prefix}{info.alias or name}"
            for branch in Slot.of(info).branches():
                inner = branch.kind
                named = get_origin(inner) is dict
                if named:
                    inner = get_args(inner)[1]
                if _is_table(inner) and branch.note(Tagged) is None:
                    found.append((key, f"[{key}.NAME]" if named else f"[{key}]", inner))
                    walk(inner, f"{key}.")

    walk(SpecFile, "")
    return found


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _table(name: str, header: str, model: type[BaseModel]) -> Topic:
    return Topic(name, header, cleandoc(model.__doc__ or ""), tuple(_fields(model)))


def _type(family: str, tag: str) -> Topic:
    model = registry.model(family, tag)
    about = FAMILIES[family]
    title = f"{about.noun.removesuffix(' type')} {tag}"
    return Topic(tag, title, cleandoc(model.__doc__ or ""), tuple(_fields(model)))


def _family(family: str) -> Topic:
    models = [(tag, registry.model(family, tag)) for tag in registry.tags(family)]
    types = tuple((tag, cleandoc(model.__doc__ or "").partition("\n")[0]) for tag, model in models)
    about = FAMILIES[family]
    base = next(iter(models))[1].__mro__
    said = next((cleandoc(k.__doc__ or "") for k in base if k.__name__.endswith("Model")), "")
    return Topic(family, f"{family}: every {about.noun}", said, (), types)


def _metric(metric: Metric) -> Topic:
    best = "larger is better" if metric.better == "max" else "smaller is better"
    form = f"{metric.name}[CLASS]" if metric.per_class else metric.name
    text = f"{metric.text}; {best}; of {' and '.join(metric.kinds)}"
    return Topic(metric.name, f"metric {form}", text)


def _fields(model: type[BaseModel]) -> Iterator[Field]:
    idle = {"type", "generate", *getattr(model, "without", ())}
    if issubclass(model, LayerModel) and model.parameters is LayerModel.parameters:
        idle.add("share")
    for name, info in model.model_fields.items():
        key = info.alias or name
        if name in idle:
            continue
        yield Field(
            key, describe(Slot.of(info)), _default(info), info.is_required(), info.description or ""
        )


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return ""
    value = plain(info.get_default(call_default_factory=True))
    # The defaults of a whole table stand under the table's own name.
    return "" if value is None or value == "" or isinstance(value, dict) else inline(value)
