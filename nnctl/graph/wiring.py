"""Who reads whom: names of the layers, ``from``, and an order in which they can be computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nnctl.graph.graph import input_node_name
from nnctl.graph.report import Report
from nnctl.spec.shapes import Shape
from nnctl.spec.suggest import hint

if TYPE_CHECKING:
    from nnctl.spec.base import LayerModel


@dataclass(frozen=True)
class Entry:
    """A layer of the spec with its final name, its place in the file and the names it reads."""

    layer: LayerModel
    name: str
    path: tuple[str | int, ...]
    inputs: tuple[str, ...] | None = None  # None: they could not be found, which is reported


def wire(layers: Sequence[LayerModel], inputs: Mapping[str, Shape], report: Report) -> list[Entry]:
    """Return the layers in topological order; what lies on a cycle or is lost is reported."""
    entries = _named(layers, report)
    sources = [input_node_name(name) for name in inputs]
    known = [*sources, *(entry.name for entry in entries)]
    read = [_read(i, entries, sources, known, report) for i in range(len(entries))]
    return _ordered([replace(e, inputs=r) for e, r in zip(entries, read, strict=True)], report)


def _named(layers: Sequence[LayerModel], report: Report) -> list[Entry]:
    counts: Counter[str] = Counter()
    entries: list[Entry] = []
    taken: dict[str, int] = {}
    for i, layer in enumerate(layers):
        counts[layer.type] += 1
        name = layer.name or f"{layer.type}_{counts[layer.type]}"
        entry = Entry(layer, name, ("layers", i))
        if name in taken:
            message = f'two layers are named "{name}": layers[{taken[name]}] and layers[{i}]'
            report.add((*entry.path, "name"), message, "every layer needs a name of its own")
        elif name == "input" or name.startswith("input."):
            message = f'"{name}" is the name of the data\'s input'
            report.add((*entry.path, "name"), message, "choose another name")
        else:
            taken[name] = i
        entries.append(entry)
    return entries


def _read(
    i: int, entries: list[Entry], sources: list[str], known: list[str], report: Report
) -> tuple[str, ...] | None:
    entry = entries[i]
    names = entry.layer.from_
    if names is None:
        if i == 0 and len(sources) != 1:
            choices = ", ".join(f'"{name}"' for name in sources)
            message = f'"{entry.name}" does not say which of the {len(sources)} inputs it reads'
            report.add(entry.path, message, f"write from = one or more of {choices}")
            return None
        names = [entries[i - 1].name if i else sources[0]]
    unknown = [name for name in names if name not in known]
    for name in unknown:
        message = f'"{entry.name}" reads "{name}", and there is no such layer or input'
        where = (*entry.path, "from")
        report.add(where, message, hint(name, known, "layers and inputs"))
    few, many = entry.layer.arity
    if len(names) < few or (many is not None and len(names) > many):
        report.add(_from(entry), *_arity(entry, names, few, many))
        return None
    return None if unknown else tuple(names)


def _from(entry: Entry) -> tuple[str | int, ...]:
    return entry.path if entry.layer.from_ is None else (*entry.path, "from")


def _arity(entry: Entry, names: Sequence[str], few: int, many: int | None) -> tuple[str, str]:
    wanted = f"{few}" if few == many else f"at least {few}" if many is None else f"{few} to {many}"
    noun = "input" if wanted == "1" else "inputs"
    given = ", ".join(f'"{name}"' for name in names)
    message = f"{entry.layer.type} takes {wanted} {noun}, given {len(names)}: {given}"
    if len(names) < few:
        return message, 'name what it reads: from = ["...", "..."]'
    return message, "join them first, in a layer of type concat, add or multiply"


def _ordered(entries: list[Entry], report: Report) -> list[Entry]:
    """Sort so that every layer stands behind what it reads, else in the order of the spec."""
    waiting = {entry.name: entry for entry in entries}
    ordered: list[Entry] = []
    while waiting:
        ready = next((e for e in waiting.values() if waiting.keys().isdisjoint(_needs(e))), None)
        if ready is None:
            _report_cycle(waiting, report)
            break
        ordered.append(waiting.pop(ready.name))
    return ordered


def _needs(entry: Entry) -> tuple[str, ...]:
    return entry.inputs or ()


def _report_cycle(waiting: Mapping[str, Entry], report: Report) -> None:
    name = next(iter(waiting))
    walked: list[str] = []
    while name not in walked:
        walked.append(name)
        name = next(other for other in _needs(waiting[name]) if other in waiting)
    cycle = walked[walked.index(name) :]
    first = min(cycle, key=list(waiting).index)
    turn = cycle.index(first)
    chain = " <- ".join([*cycle[turn:], *cycle[:turn], first])
    message = f"the layers read each other in a circle: {chain}"
    report.add(_from(waiting[first]), message, "a network has to be free of circles: cut one from")
