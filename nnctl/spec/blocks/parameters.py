"""Parameters of blocks: the strings "$units" in a block's layers, and the values for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnctl.spec.base import Finding
from nnctl.spec.suggest import hint
from nnctl.spec.writer import shown

from .use import Block, BlockUse

Path = tuple[str | int, ...]


def substitute(value: Any, values: Mapping[str, Any]) -> Any:
    """Put values in the place of "$name"; an unknown name stays as it is."""
    if isinstance(value, str) and value.startswith("$"):
        return values.get(value[1:], value)
    if isinstance(value, dict):
        return {key: substitute(entry, values) for key, entry in value.items()}
    if isinstance(value, list):
        return [substitute(entry, values) for entry in value]
    return value


def places(value: Any, at: Path = ()) -> Iterator[tuple[str, Path]]:
    """Find every "$name" in a table, with its path."""
    if isinstance(value, str) and value.startswith("$"):
        yield value[1:], at
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from places(entry, (*at, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from places(entry, (*at, index))


def check_block(block: Block) -> Iterator[Finding]:
    """Compare a block's parameters with what its layers ask for."""
    asked = [(name, ("layers", *path)) for name, path in places(block.layers)]
    wanted = {name for name, _ in asked}
    for name, path in asked:
        if name not in block.parameters:
            remedy = hint(name, block.parameters, "parameters") or "add it to parameters"
            yield Finding(path, f'the block has no parameter "{name}"', remedy)
    for name in block.parameters:
        if name not in wanted:
            missing = sorted(wanted - block.parameters.keys())
            remedy = hint(name, missing, "asked for") or f'write "${name}" in a layer, or remove it'
            yield Finding(("parameters", name), f'no layer of the block uses "${name}"', remedy)


def check_use(use: BlockUse, block: Block) -> Iterator[Finding]:
    """Compare the values given to a block with its parameters."""
    for name, value in use.with_.items():
        path = ("with", name)
        if name not in block.parameters:
            remedy = hint(name, block.parameters, "parameters")
            yield Finding(path, f'block "{use.block}" has no parameter "{name}"', remedy)
        elif not _alike(block.parameters[name], value):
            default = block.parameters[name]
            message = f"expected a value like the default {shown(default)}, given {shown(value)}"
            yield Finding(path, message)


def _alike(default: Any, value: Any) -> bool:
    if isinstance(default, float) and isinstance(value, int):
        return not isinstance(value, bool)
    return type(default) is type(value)
