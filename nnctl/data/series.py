"""Tables whose rows are in order of time: a row is a step, and windows of rows are the samples.

Stdlib only: ``check`` reads through this.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from nnctl.data import columns, cutting, long
from nnctl.data.long import Long
from nnctl.data.opening import Opened, Opener
from nnctl.data.roles import Roles
from nnctl.errors import DataError, SpecError

NOUN = "row"


def open_main(opener: Opener, *, keep: bool) -> Long:
    """Open ``data.source`` as a series. Raises DataError with file and line, SpecError for keys."""
    frame = cutting.of_series(opener.data)
    opened = opener.main(keep=keep)
    _refuse_mirrors(opened.roles, opener)
    opened.check()
    _check_order(opened)
    targets = {
        name: long.ahead(info, frame, _if_not_all(_held_by(name, opened.roles), opened.roles))
        for name, info in opened.targets.items()
    }
    found = long.cut(opener, replace(opened, targets=targets), frame, NOUN, keep)
    for other in found.others.values():
        other.check()
    return found


def _held_by(target: str, roles: Roles) -> tuple[str, ...]:
    """The inputs that a target is in."""
    wanted = set(roles.targets[target])
    return tuple(name for name, fields in roles.inputs.items() if not wanted.isdisjoint(fields))


def _if_not_all(held: tuple[str, ...], roles: Roles) -> tuple[str, ...] | None:
    return held if len(held) < len(roles.inputs) else None


def _refuse_mirrors(roles: Roles, opener: Opener) -> None:
    for name in roles.mirrors:
        message = "windows of a series predict what follows, not the input itself"
        path = ("data", "targets", name) if name else ("data", "target")
        raise SpecError(opener.locate(path, message, "name the column to predict"))


def _check_order(opened: Opened) -> None:
    """Raise DataError for the first row that is not later than the one before."""
    if opened.roles.order is None:
        return
    field, place = opened.content.fields[opened.roles.order], opened.content.place
    times, values = columns.times(field, place) or (), field.values or ()
    for row, (before, time) in enumerate(pairwise(times), 1):
        if time <= before:
            message = f'"{field.name}": {values[row]} is not later than {values[row - 1]} before it'
            hint = "sort the rows by time, one row a step; several series need a file each"
            raise DataError(place(row, message, hint))
