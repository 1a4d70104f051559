"""Time as the command line means it: budgets such as ``50m``, counted from process start."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from nnctl.errors import UsageError

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
BUDGET = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?"
)
LOADED = time.monotonic()


def seconds_of(text: str) -> float:
    """Return the seconds of ``50m``, ``1h30m``, ``90s`` or ``90``. Raises UsageError."""
    match = BUDGET.fullmatch(text.strip())
    if match and match[0]:
        return sum(float(match[unit]) * size for unit, size in UNITS.items() if match[unit])
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(f"cannot read the time {text!r}", "write 50m, 1h30m, 90s or 90 (seconds)")
    return seconds


def since_start() -> float:
    """Return the seconds since this process began, which no change of the clock moves."""
    try:
        # Fields after the name, which may hold anything but ends at the last bracket; the 22nd
        # of all is the start in ticks since boot.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        began = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - began
    except (OSError, ValueError, IndexError, AttributeError):
        return time.monotonic() - LOADED


def clock(seconds: float) -> str:
    """Write a time left as ``0:07``, ``12:30`` or ``1:02:03``."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
