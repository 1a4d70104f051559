"""Outputs of the network and the losses on them: which layers they are, and what is left over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .base import Finding
from .registry import is_single
from .suggest import hint

Path = tuple[str | int, ...]


def check(
    places: Mapping[str, Path], heads: Sequence[str], data: Mapping[str, Any]
) -> Iterator[Finding]:
    """Compare ``outputs`` and ``[loss.OUTPUT]`` with the layers.

    ``places`` has the path of every layer; ``heads`` are those that nothing reads.
    """
    listed = data.get("outputs")
    listed = [listed] if isinstance(listed, str) else listed
    outputs = list(heads)
    if isinstance(listed, list) and all(isinstance(name, str) for name in listed):
        for position, name in enumerate(listed):
            if name not in places:
                message = f'no layer is named "{name}"'
                yield Finding(("outputs", position), message, hint(name, places, "names"))
        outputs = [name for name in listed if name in places]
        for name in heads:
            if name not in outputs:
                message = f'nothing reads "{name}", and it is not in outputs'
                yield Finding(places[name], message, "remove it, or add it to outputs")
    loss = data.get("loss")
    if isinstance(loss, dict) and is_single(loss):
        yield from _single(outputs)
    elif isinstance(loss, dict):
        yield from _named(places, outputs, loss, every=listed is None)


def _single(outputs: Sequence[str]) -> Iterator[Finding]:
    if len(outputs) > 1:
        message = f"which output is it for? There are {len(outputs)}: {', '.join(outputs)}"
        tables = " and ".join(f"[loss.{name}]" for name in outputs)
        yield Finding(("loss",), message, f"write {tables}, or join the outputs")


def _named(
    places: Mapping[str, Path], outputs: Sequence[str], loss: Mapping[str, Any], *, every: bool
) -> Iterator[Finding]:
    for name in loss:
        if name not in places:
            message = f'no output is named "{name}"'
            yield Finding(("loss", name), message, hint(name, outputs, "outputs"))
        elif name not in outputs:
            message = f'"{name}" is not an output: another layer reads it'
            yield Finding(("loss", name), message, f'list it: outputs = ["{name}", ...]')
    for name in outputs:
        if name not in loss and every:
            message = f'nothing reads "{name}", and it has no loss'
            yield Finding(places[name], message, f"add [loss.{name}], or list the outputs")
