"""Keys of ``[data]`` for sequences: windows of a series or a text, records of tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .base import Finding

if TYPE_CHECKING:
    from .data import DataSpec

# What the names of files end in that hold one long text.
TEXTS = (".txt", ".txt.gz")
# Keys that say where windows lie.
WINDOWS = ("window", "horizon", "stride", "steps")


def findings(data: DataSpec) -> Iterator[Finding]:
    """Find settings that cannot hold together, as far as the spec alone can tell."""
    source = data.source
    if not isinstance(source, str):
        for key in (*WINDOWS, "tokens", "max_length"):
            if getattr(data, key) is not None:
                message = f"has no effect: {key} is for files, and a generator makes whole samples"
                yield Finding((key,), message, "remove it, and set the generator's own fields")
        if data.unknown:
            yield Finding(("unknown",), "has no effect: a generator knows its symbols", "remove it")
    in_order = data.window is not None or data.tokens is not None or is_text(source)
    yield from _of_split(data, in_order)
    if data.tokens is not None and data.normalize != "none":
        yield Finding(("normalize",), "has no effect: tokens are not scaled", "remove it")


def is_text(source: object) -> bool:
    """Whether a source is a file of one long text."""
    return isinstance(source, str) and source.lower().endswith(TEXTS)


def _of_split(data: DataSpec, in_order: bool) -> Iterator[Finding]:
    split = data.split
    if split.gap and split.order is None and not in_order:
        hint = 'name the column of times: order = "COLUMN"'
        yield Finding(("split", "gap"), "has no effect without order", hint)
    if data.window is None and not is_text(data.source):
        return
    message = "has no effect: windows are cut from blocks in order of time, which is not random"
    if split.seed and split.order is None:
        yield Finding(("split", "seed"), message, "remove it")
    if split.group is not None:
        yield Finding(("split", "group"), message, "remove it")
