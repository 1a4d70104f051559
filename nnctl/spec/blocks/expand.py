"""From ``[[layers]]`` with blocks to the plain list of layers, named and wired.

Every layer gets its name; ``from`` and ``share`` then name layers of the whole network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from nnctl.spec.base import Finding
from nnctl.spec.overrides import entry_names
from nnctl.spec.suggest import hint

from .parameters import check_block, check_use, substitute
from .scope import Layer, Scope
from .use import Block, BlockUse

Path = tuple[str | int, ...]

MOST_LAYERS = 20_000
"""Far beyond any network; nested repeats reach it by mistake."""


@dataclass
class Expansion:
    """The plain layers, where each stands in the file, and what was wrong with the blocks."""

    layers: list[Any] = field(default_factory=list)
    moved: dict[Path, Path] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    failures: list[tuple[Path, ValidationError]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def whole(self) -> bool:
        """Whether every layer is there, so that a name not found is a mistake."""
        return not self.findings and not self.failures


def expand(entries: list[Any], blocks: Any) -> Expansion:
    """Expand the entries of ``[[layers]]`` with the tables of ``[blocks]``."""
    return _Expander(blocks if isinstance(blocks, dict) else {}).run(entries)


class _Expander:
    def __init__(self, tables: dict[str, Any]) -> None:
        self.out = Expansion()
        self.tables = tables
        self.blocks: dict[str, Block] = {}
        self.count = 0
        for name, table in tables.items():
            block = self.validate(Block, table, ("blocks", name))
            if block is not None:
                self.blocks[name] = block
                found = check_block(block)
                self.out.findings += [finding.under("blocks", name) for finding in found]

    def run(self, entries: list[Any]) -> Expansion:
        root = Scope()
        self.fill(root, entries, ("layers",), "", ())
        for index, (layer, scope, first) in enumerate(root.layers()):
            self.out.layers.append(_wired(layer, scope, first))
            self.out.moved["layers", index] = layer.path
        return self.out

    def validate(self, model: type[Any], table: Any, path: Path) -> Any:
        try:
            return model.model_validate(table)
        except ValidationError as error:
            self.out.failures.append((path, error))
            return None

    def fill(
        self, scope: Scope, entries: list[Any], at: Path, prefix: str, outer: tuple[str, ...]
    ) -> None:
        """Add the entries to a scope; ``outer`` are the blocks that it stands in."""
        counts: dict[str, int] = {}
        for index, (entry, label) in enumerate(zip(entries, entry_names(entries), strict=True)):
            path = (*at, index)
            if isinstance(entry, dict) and entry.get("type") == "block":
                use = self.use(entry, path, outer)
                if use is not None:
                    self.repeat(scope, use, counts, prefix, outer)
                continue
            self.count += 1
            member = Layer(entry, path, prefix + label)
            scope.members.append(member)
            scope.names.setdefault(label, member)

    def use(self, entry: dict[str, Any], path: Path, outer: tuple[str, ...]) -> BlockUse | None:
        """Check an entry that uses a block; None when it cannot be expanded."""
        use: BlockUse | None = self.validate(BlockUse, entry, path)
        if isinstance(entry.get("block"), str):
            self.out.used.add(entry["block"])
        if use is None:
            return None
        if use.block not in self.tables:
            remedy = hint(use.block, self.tables, "blocks") or f"define [blocks.{use.block}]"
            self.find((*path, "block"), f'unknown block "{use.block}"', remedy)
        elif use.block in outer:
            circle = " -> ".join([*outer[outer.index(use.block) :], use.block])
            self.find((*path, "block"), f"the block contains itself: {circle}")
        elif use.block in self.blocks:
            found = list(check_use(use, self.blocks[use.block]))
            self.out.findings += [finding.under(*path) for finding in found]
            if self.count + use.repeat <= MOST_LAYERS:
                return use
            self.find(path, f"the blocks make more than {MOST_LAYERS} layers", "lower repeat")
        return None

    def find(self, path: Path, message: str, remedy: str = "") -> None:
        self.out.findings.append(Finding(path, message, remedy))

    def repeat(
        self,
        scope: Scope,
        use: BlockUse,
        counts: dict[str, int],
        prefix: str,
        outer: tuple[str, ...],
    ) -> None:
        """Put the block's layers into the scope as often as the entry says."""
        block = self.blocks[use.block]
        wrong = {finding.path[-1] for finding in check_use(use, block)}
        given = {name: value for name, value in use.with_.items() if name not in wrong}
        layers = substitute(block.layers, {**block.parameters, **given})
        label = use.name or use.block
        before = scope.members[-1] if scope.members else None
        previous: Scope | None = None
        if use.first is not None:
            counts[label] = use.first - 1
        for _ in range(use.repeat):
            counts[label] = counts.get(label, 0) + 1
            name = f"{label}.{counts[label]}"
            inner = Scope(scope, use, before, previous)
            at: Path = ("blocks", use.block, "layers")
            self.fill(inner, layers, at, f"{prefix}{name}.", (*outer, use.block))
            if not inner.members:
                return
            scope.members.append(inner)
            scope.names[name] = previous = inner
        if use.name is not None and previous is not None:
            scope.names.setdefault(use.name, previous)


def _wired(layer: Layer, scope: Scope, first: bool) -> Any:
    """Name a layer and turn its references into those of the whole network."""
    if not isinstance(layer.table, dict):
        return layer.table
    table = {**layer.table}
    table.setdefault("name", layer.name)
    if isinstance(table["name"], str):
        table["name"] = layer.name
    sources = table.get("from")
    sources = [sources] if isinstance(sources, str) else sources
    if isinstance(sources, list) and sources and all(isinstance(name, str) for name in sources):
        table["from"] = scope.resolve(sources)
    elif sources is None and first and scope.use is not None:
        table["from"] = scope.inputs()
    if isinstance(table.get("share"), str):
        table["share"] = scope.resolve([table["share"]])[0]
    return table
