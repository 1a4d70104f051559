"""What the user may say: the TOML spec, its types, and everything that can be wrong with it.

Names are loaded on first use: ``nnctl.spec.metrics`` and ``nnctl.spec.info`` cost no pydantic.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .load import load_spec, load_spec_text
    from .root import Spec

__all__ = ["Spec", "load_spec", "load_spec_text"]

_HOMES = {"Spec": "root", "load_spec": "load", "load_spec_text": "load"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
