"""Columns that decide the split: groups, and times. Stdlib only: ``check`` reads through this."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from nnctl.data.sources.base import Field
from nnctl.data.sources.table import parse_number
from nnctl.data.targets import Place
from nnctl.errors import DataError


def groups(field: Field, place: Place) -> list[str]:
    """Return the group of each sample as text. Raises DataError for a field of fractions."""
    if field.values is None:
        message = f'group "{field.name}" holds {field.kind} numbers, not names'
        raise DataError(place(0, message, "store groups as whole numbers or as text"))
    return [str(value) for value in field.values]


def times(field: Field, place: Place) -> Sequence[float] | None:
    """Return the time of each sample as a number that sorts; None where ``load`` has to be asked.

    Dates and times are ISO 8601; those without a time zone count as UTC. Raises DataError.
    """
    if field.values is None:
        return None
    found: list[float] = []
    kinds = set()
    for row, value in enumerate(field.values):
        time, kind = _time(value)
        kinds.add(kind)
        if time is None:
            message = f'"{field.name}": "{value}" is neither a number nor a date'
            raise DataError(place(row, message, "write dates as 2026-01-31 or 2026-01-31T12:00"))
        if len(kinds) > 1:
            message = f'"{field.name}": "{value}" is a {kind}, unlike the rows before'
            raise DataError(place(row, message, "write all times as numbers, or all as dates"))
        found.append(time)
    return found


def _time(value: str | int) -> tuple[float | None, str]:
    number = float(value) if isinstance(value, int) else parse_number(value)
    if number is not None:
        return number, "number"
    try:
        date = datetime.fromisoformat(str(value))
    except ValueError:
        return None, "text"
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return date.timestamp(), "date"
