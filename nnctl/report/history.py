"""The curves of a run: its events turned into one series per figure, one value per epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SPLITS = ("train", "validation", "test")
NAN = float("nan")


@dataclass(frozen=True)
class History:
    """``series`` maps ``validation.loss``, ``learning_rate``, ... to values beside ``epochs``.

    A value that was not taken is NaN. ``best`` is the last epoch that improved the monitor.
    """

    epochs: tuple[int, ...] = ()
    series: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    best: int | None = None

    def quantities(self) -> tuple[str, ...]:
        """Return the figures that splits have, without the split: loss first, then by name."""
        found = {name.split(".", 1)[1] for name in self.series if split_of(name)}
        return tuple(sorted(found, key=lambda name: (name != "loss", name)))

    def of(self, quantity: str) -> dict[str, tuple[float, ...]]:
        """Return the series of one figure by split, in the order train, validation, test."""
        named = {split: self.series.get(f"{split}.{quantity}") for split in SPLITS}
        return {split: values for split, values in named.items() if values is not None}

    def rows(self) -> list[dict[str, float]]:
        """Return one row per epoch with every figure, NaN where it was not taken."""
        return [
            {"epoch": epoch, **{name: values[i] for name, values in self.series.items()}}
            for i, epoch in enumerate(self.epochs)
        ]


def split_of(name: str) -> str:
    """Return the split that a series belongs to, or nothing."""
    split = name.split(".", 1)[0]
    return split if split in SPLITS and "." in name else ""


def history(events: Iterable[Mapping[str, Any]]) -> History:
    """Return the curves of a run from its epoch events; a repeated epoch counts once, the last."""
    rows: dict[int, dict[str, Any]] = {}
    best = None
    for event in events:
        epoch = int(event["epoch"])
        rows.pop(epoch, None)
        rows[epoch] = dict(event)
        if event.get("improved"):
            best = epoch
    flat = {epoch: _flat(row) for epoch, row in rows.items()}
    names = dict.fromkeys(name for row in flat.values() for name in row)
    series = {name: tuple(row.get(name, NAN) for row in flat.values()) for name in names}
    return History(tuple(flat), series, best)


def _flat(event: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of one epoch under dotted names; what a number was not is NaN."""
    own = ("step", "learning_rate", "running_loss", "gradient_norm", "penalty", "seconds")
    found = {name: _number(event[name]) for name in own if name in event}
    for split, metrics in (event.get("metrics") or {}).items():
        found |= {f"{split}.{name}": _number(value) for name, value in metrics.items()}
    return found


def _number(value: Any) -> float:
    return NAN if value is None else float(value)
