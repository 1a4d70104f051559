"""Who reads whom, in an order in which it can be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnctl.graph.graph import input_node_name
from nnctl.spec.base import PREVIOUS
from nnctl.spec.shapes import Shape

if TYPE_CHECKING:
    from nnctl.spec.base import LayerModel


@dataclass(frozen=True)
class Entry:
    """A layer of the spec with its place in the file, and the layers or inputs that it reads."""

    layer: LayerModel
    name: str
    path: tuple[str | int, ...]
    inputs: tuple[str, ...]


def wire(layers: Sequence[LayerModel], inputs: Mapping[str, Shape]) -> list[Entry]:
    """Return the layers so that each stands behind what it reads, else in the order of the spec.

    That every layer has a name, that what it reads exists and that there is no circle is seen to
    where specs are loaded.
    """
    before = next(input_node_name(name) for name in inputs)
    waiting: dict[str, Entry] = {}
    for i, layer in enumerate(layers):
        name = layer.name or ""
        entry = Entry(layer, name, ("layers", i), tuple(layer.from_ or (before,)))
        waiting |= {one.name: one for one in _members(entry)}
        before = name
    ordered: list[Entry] = []
    while waiting:
        ready = next(e for e in waiting.values() if waiting.keys().isdisjoint(e.inputs))
        ordered.append(waiting.pop(ready.name))
    return ordered


def _members(whole: Entry) -> list[Entry]:
    """The layers that stand in a layer's place, or the layer itself."""
    found = []
    for part in whole.layer.members():
        reads = tuple(_read(whole, name) for name in part.reads) or whole.inputs
        name = f"{whole.name}.{part.name}".rstrip(".")
        found.append(Entry(part.layer, name, (*whole.path, *part.path), reads))
    return found or [whole]


def _read(whole: Entry, name: str) -> str:
    if name == PREVIOUS:
        return input_node_name(fed_name(whole.name))
    return whole.inputs[int(name[1:])] if name.startswith("@") else f"{whole.name}.{name}"


def fed_name(layer: str) -> str:
    """Return the name of the input that feeds a layer its outputs before."""
    return f"{layer}.previous"
