"""The peer: PyTorch on the CPU, with the options that make it fastest. Only here torch is imported.

A layer type is one function in ``layers.py``.
"""

from __future__ import annotations

from importlib.util import find_spec


def is_installed() -> bool:
    """Say whether PyTorch is there, without importing it."""
    return find_spec("torch") is not None
