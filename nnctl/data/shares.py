"""What a fraction of some samples is in whole samples."""

from __future__ import annotations

from math import floor


def share(count: int, fraction: float) -> int:
    """Return a fraction of a count, halves up, and at least one."""
    # Rounded first, so that 0.29 * 50 = 14.499999999999998 counts as the half that it is.
    return max(1, floor(round(count * fraction, 9) + 0.5))
