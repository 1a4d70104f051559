"""Data: sources, splits, normalization, batches and fingerprints; pure functions of spec and seed.

Names are loaded on first use, so that ``nnctl.data.header`` costs no NumPy. No module here is
called as a function is: importing it would hide the function.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnctl.data.batches import bucketed, order, streams
    from nnctl.data.dataset import Dataset, Part, Splits, Target
    from nnctl.data.loading import load, load_more
    from nnctl.data.normalize import Normalizer, fit_normalizer
    from nnctl.data.splitting import split

__all__ = [
    "Dataset",
    "Normalizer",
    "Part",
    "Splits",
    "Target",
    "bucketed",
    "fit_normalizer",
    "load",
    "load_more",
    "order",
    "split",
    "streams",
]

_HOMES = {
    "Dataset": "dataset",
    "Normalizer": "normalize",
    "Part": "dataset",
    "Splits": "dataset",
    "Target": "dataset",
    "bucketed": "batches",
    "fit_normalizer": "normalize",
    "load": "loading",
    "load_more": "loading",
    "order": "batches",
    "split": "splitting",
    "streams": "batches",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
