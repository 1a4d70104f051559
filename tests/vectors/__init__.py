"""What is tested of each type, as data: a file per family, found here by its lists.

Nothing in this package or in ``tests/reference`` may import nnctl: what is wrong there must not be
wrong here in the same way.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


def collect(name: str) -> list[Any]:
    """Return the entries of the lists called ``name`` in all files of this package."""
    found: list[Any] = []
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        found += getattr(module, name, [])
    return found
