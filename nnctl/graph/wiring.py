"""Who reads whom, in an order in which it can be computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnctl.graph.graph import input_node_name
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
        waiting[name] = Entry(layer, name, ("layers", i), tuple(layer.from_ or (before,)))
        before = name
    ordered: list[Entry] = []
    while waiting:
        ready = next(e for e in waiting.values() if waiting.keys().isdisjoint(e.inputs))
        ordered.append(waiting.pop(ready.name))
    return ordered
