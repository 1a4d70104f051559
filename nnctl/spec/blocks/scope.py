"""Names of layers inside blocks, and what they stand for in the whole network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .use import BlockUse

Path = tuple[str | int, ...]


@dataclass
class Layer:
    """One layer of the network: its raw table, its place in the file, its full name."""

    table: Any
    path: Path
    name: str


@dataclass
class Scope:
    """A list of entries: the network's own, or one repetition of a block."""

    parent: Scope | None = None
    use: BlockUse | None = None
    before: Layer | Scope | None = None  # what the block follows in its parent
    previous: Scope | None = None  # the repetition before this one
    members: list[Layer | Scope] = field(default_factory=list)
    names: dict[str, Layer | Scope] = field(default_factory=dict)

    def find(self, name: str) -> Layer | Scope | None:
        """Look a name up here, then further out."""
        if name in self.names:
            return self.names[name]
        return self.parent.find(name) if self.parent else None

    def inputs(self) -> list[str]:
        """What "input" stands for in here."""
        if self.parent is None or self.use is None:
            return ["input"]
        if self.previous is not None:
            return [last(self.previous)]
        if self.use.from_ is not None:
            return self.parent.resolve(self.use.from_)
        return [last(self.before)] if self.before is not None else self.parent.inputs()

    def resolve(self, names: list[str]) -> list[str]:
        """Turn names as written in here into names of the whole network; unknown ones stay."""
        found: list[str] = []
        for name in names:
            target = self.find(name)
            if name == "input" and self.parent is not None:
                found += self.inputs()
            else:
                found.append(last(target) if target is not None else name)
        return found

    def layers(self) -> Iterator[tuple[Layer, Scope, bool]]:
        """All layers in order, each with its scope and whether it is the first in there."""
        for index, member in enumerate(self.members):
            if isinstance(member, Layer):
                yield member, self, index == 0
            else:
                yield from member.layers()


def last(member: Layer | Scope) -> str:
    """Name the layer whose output a member's output is."""
    while isinstance(member, Scope):
        member = member.members[-1]
    return member.name
