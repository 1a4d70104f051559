"""Dates as people write them."""

from __future__ import annotations

from typing import Literal

from nnctl.spec.info import TargetInfo
from nnctl.spec.shapes import Shape

from .base import GeneratorModel, sequence

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# The day always comes before the month where both are numbers, but behind a year.
FORMATS = (
    "{d} {month} {y}",
    "{month} {d}, {y}",
    "{d}. {month} {y}",
    "{d}{th} of {month} {y}",
    "the {d}{th} of {month}, {y}",
    "{weekday}, {month} {d}, {y}",
    "{weekday}, {d} {month} {y}",
    "{mon} {d} {y}",
    "{d} {mon} {y}",
    "{d}-{mon}-{y}",
    "{MON} {d}, {y}",
    "{day}, {d} {mon} {y}",
    "{d}/{m}/{y}",
    "{dd}.{mm}.{y}",
    "{d}.{m}.{y}",
    "{y}/{mm}/{dd}",
    "{y} {month} {d}",
    "{y}{mm}{dd}",
)
_ISO = "-0123456789"


class Dates(GeneratorModel):
    """Dates from 1900 to 2099 as people write them, each in one of 18 forms; the target is the date
    as 2026-01-31, and a stop symbol."""

    generate: Literal["dates"]

    def shape(self) -> Shape:
        return (max(map(len, _longest())),)

    def symbols(self) -> tuple[str, ...]:
        words = "".join([*MONTHS, *DAYS, *(month.upper()[:3] for month in MONTHS)])
        forms = "".join(form.format(**_fields("", "", "", "")) for form in FORMATS)
        return tuple(sorted({*words, *forms, *"0123456789", *"stndrh"}))

    def target(self) -> TargetInfo:
        return sequence(tuple(_ISO), 10)

    def varies(self) -> bool:
        return True


def written(form: int, year: int, month: int, day: int, weekday: int) -> str:
    """Write a date in one of the forms; month and day count from 1, weekday from 0, a Monday."""
    name, of_week = MONTHS[month - 1], DAYS[weekday]
    fields = _fields(name, of_week, ordinal(day), str(year))
    numbers = {"d": str(day), "dd": f"{day:02}", "m": str(month), "mm": f"{month:02}"}
    return FORMATS[form].format(**{**fields, **numbers})


def ordinal(day: int) -> str:
    """Return what follows a day as a number in English: ``st``, ``nd``, ``rd`` or ``th``."""
    return "th" if 10 <= day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _fields(month: str, weekday: str, th: str, year: str) -> dict[str, str]:
    short = {"mon": month[:3], "MON": month[:3].upper(), "day": weekday[:3]}
    return {"month": month, "weekday": weekday, "th": th, "y": year, **short} | dict.fromkeys(
        ("d", "dd", "m", "mm"), ""
    )


def _longest() -> list[str]:
    """Write the longest date of each form: 30 September, a Wednesday."""
    return [written(form, 2099, 9, 30, 2) for form in range(len(FORMATS))]
