"""Names of cases that are the same in every process, which share them out."""

from __future__ import annotations

import re


def short(part: object, most: int) -> str:
    """Return what a part of a case is called, without the addresses of functions."""
    return re.sub(r" at 0x\w+", "", str(part))[:most]
