"""Arrays of data as the kernels read them, who look at no bounds: checked, and laid out in rows.

A target over steps is int64 (N, steps), where -1 does not count, or numbers (N, steps, width),
where a step with a NaN does not.
"""

from __future__ import annotations

from collections.abc import Container

import numpy as np


def kind_of(array: np.ndarray, kernels: Container[str]) -> tuple[str, int | None]:
    """Return which kernels of a loss a target asks for, and its steps, if it has one for each."""
    is_label = np.issubdtype(array.dtype, np.integer)
    if is_label and array.ndim <= 2 or array.ndim == 3:
        over_steps = array.ndim > 1
        kind = "class" if is_label else "rows"
        ending = "_steps" if over_steps else ""
        kind = kind if kind + ending in kernels else "rows"
        return kind + ending, array.shape[1] if over_steps else None
    return "rows", None


def as_read(array: np.ndarray, kind: str, width: int, steps: int | None) -> np.ndarray:
    """Return a target as the kernels of ``kind`` read it; ``width`` numbers has the output."""
    is_label = np.issubdtype(array.dtype, np.integer)
    if steps is not None:
        if array.shape[1] != steps or width % steps:
            raise ValueError(f"targets of shape {array.shape}, expected {steps} steps of {width}")
        classes = max(width // steps, 2)
        if kind.startswith("class"):
            return _labels(array, classes, -1)
        rows = _step_rows(array, width // steps) if is_label else array
        return table("targets", rows, width, "float64")
    if kind == "class":
        return _labels(array.reshape(-1, 1), max(width, 2), 0)
    return _rows(array, width, is_label and array.ndim == 1)


def counted(targets: np.ndarray, steps: int) -> np.ndarray:
    """Return how many steps of each sample count, float64 (N,)."""
    if np.issubdtype(targets.dtype, np.integer):
        there = targets >= 0
    else:
        there = ~np.isnan(targets.reshape(len(targets), steps, -1)).any(axis=2)
    return np.asarray(there.sum(axis=1), dtype=np.float64)


def table(what: str, array: np.ndarray, width: int, kind: str) -> np.ndarray:
    """Rows of numbers as kernels read them, who take the row's length as agreed."""
    rows = array.reshape(len(array), -1) if array.size else array.reshape(len(array), width)
    if rows.shape[1] != width:
        raise ValueError(f"{what}: rows of {rows.shape[1]} numbers, the network has {width}")
    return np.ascontiguousarray(rows, dtype=kind)


def _labels(array: np.ndarray, classes: int, least: int) -> np.ndarray:
    """Labels as kernels read them, who index by them and look at no bounds."""
    if array.size and not least <= array.min() <= array.max() < classes:
        raise ValueError(f"labels from {array.min()} to {array.max()}, of {classes} classes")
    return np.ascontiguousarray(array, dtype=np.int64)


def _rows(array: np.ndarray, width: int, is_label: bool) -> np.ndarray:
    """Labels as one-hot rows (or 0 and 1 for a single output); numbers as they are."""
    if not is_label:
        return table("targets", array, width, "float64")
    if width == 1:
        return np.ascontiguousarray(array.reshape(-1, 1), dtype=np.float64)
    return np.ascontiguousarray(np.eye(width)[array])


def _step_rows(labels: np.ndarray, width: int) -> np.ndarray:
    """The same of labels over steps; NaN at those that do not count."""
    there = labels >= 0
    if width == 1:
        return np.where(there, labels, np.nan)[:, :, None]
    rows = np.eye(width)[np.where(there, labels, 0)]
    return np.where(there[:, :, None], rows, np.nan)
