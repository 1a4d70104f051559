"""Which kind of data a spec names: samples one by one, a series, a text, or records of tokens.

Stdlib only: ``check`` reads through this.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from nnctl.data import bundled
from nnctl.data.problems import Locate
from nnctl.data.sources.base import Source
from nnctl.data.sources.jsonl import EXTENSIONS as JSON_LINES
from nnctl.data.sources.text import EXTENSIONS as TEXTS
from nnctl.errors import Problem

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec

Kind = Literal["samples", "series", "text", "records"]

WINDOWS = ("window", "horizon", "stride", "steps")
KEYS = (*WINDOWS, "tokens", "unknown", "max_length")
# The keys for sequences that each kind obeys.
OBEYED: dict[Kind, tuple[str, ...]] = {
    "samples": (),
    "series": WINDOWS,
    "text": (*WINDOWS, "tokens", "unknown"),
    "records": ("tokens", "unknown", "max_length"),
}


def of(data: DataSpec) -> Kind:
    """Return the kind of ``data.source``, a name or a path."""
    source = str(data.source)
    if source.lower().endswith(TEXTS) or bundled.is_text(source):
        return "text"
    if data.tokens is not None or source.lower().endswith(JSON_LINES):
        return "records"
    return "series" if data.window is not None else "samples"


def idle(data: DataSpec, source: Source, locate: Locate) -> Iterator[Problem]:
    """Find the keys for sequences that this source cannot obey."""
    kind, name = of(data), source.path.name
    for key in KEYS:
        if getattr(data, key) in (None, False):
            continue
        if kind == "samples" and key == "steps" and not source.is_table and data.steps == "all":
            continue  # arrays, whose targets are sequences of lengths of their own
        if kind == "series" and not source.is_table:
            message = f"has no effect: {name} is no table whose rows are steps in order of time"
            yield locate(("data", key), message, "remove it")
        elif key not in OBEYED[kind]:
            yield locate(("data", key), _needed(key, kind), "remove it")


def _needed(key: str, kind: Kind) -> str:
    if kind == "records":
        return f"has no effect: {key} is for a series or a text, and these are records"
    if key in WINDOWS:
        return f"has no effect without window: {key} is for windows of a series"
    if kind == "text":
        return f"has no effect: {key} is for records, and a text is read in windows"
    return f"has no effect: {key} is for text"
