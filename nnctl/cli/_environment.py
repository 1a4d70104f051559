"""Facts about this machine, for ``nnctl doctor``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("numpy", "numba", "llvmlite", "pydantic", "typer", "safetensors")


def environment() -> dict[str, Any]:
    """Return the facts in the order in which they are shown."""
    from nnctl import __version__

    facts: dict[str, Any] = {"nnctl": __version__, "python": platform.python_version()}
    facts |= {name: _version(name) for name in PACKAGES}
    return facts


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
