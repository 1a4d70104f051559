"""How figures are written for people: few digits, the same everywhere, a dash for what is not."""

from __future__ import annotations

import math
from typing import Any

DASH = "–"


def figure(value: Any, digits: int = 4) -> str:
    """Write a number with a few significant digits; None and NaN are a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")  # a thin space, which no locale reads as a point
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return str(value)


def duration(seconds: float) -> str:
    """Write a time as ``0.42 s``, ``3 min 7 s`` or ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def setting(value: Any) -> str:
    """Write the value of a spec's field as TOML would."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
