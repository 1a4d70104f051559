"""Specs as text, from tables."""

from __future__ import annotations

from collections.abc import Iterable

Layer = dict[str, object]


def spec_text(source: Layer, layers: Iterable[Layer], optimizer: Layer, training: Layer) -> str:
    """The text of a spec that tells classes apart."""
    return "\n\n".join(
        [
            f"[data]\nsource = {_inline(source)}",
            *("[[layers]]\n" + _table(layer) for layer in layers),
            '[loss]\ntype = "cross_entropy"',
            f"[optimizer]\n{_table(optimizer)}",
            f"[training]\n{_table(training)}\n",
        ]
    )


def _value(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value)


def _table(layer: Layer) -> str:
    return "\n".join(f"{key} = {_value(value)}" for key, value in layer.items())


def _inline(table: Layer) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in table.items()) + " }"
