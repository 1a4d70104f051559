"""Normalizations in plain NumPy, float64; the formulas of the papers."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def normalized(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    mean = x.mean(axis=axes, keepdims=True)
    variance = ((x - mean) ** 2).mean(axis=axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


def trained(x: Array, gamma: Array | None, beta: Array | None) -> Array:
    x = x if gamma is None else x * gamma
    return x if beta is None else x + beta


def batch_norm(
    x: Array, gamma: Array | None, beta: Array | None, epsilon: float, running: Any = None
) -> Array:
    """``running``: (mean, var) of evaluation; None: those of the batch."""
    if running is None:
        found = normalized(x, tuple(range(x.ndim - 1)), epsilon)
    else:
        found = (x - running[0]) / np.sqrt(running[1] + epsilon)
    return trained(found, gamma, beta)


def layer_norm(
    x: Array, gamma: Array | None, beta: Array | None, epsilon: float, axes: str
) -> Array:
    over = (x.ndim - 1,) if axes == "last" else tuple(range(1, x.ndim))
    return trained(normalized(x, over, epsilon), gamma, beta)


def group_norm(
    x: Array, gamma: Array | None, beta: Array | None, epsilon: float, groups: int
) -> Array:
    parts = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    return trained(normalized(parts, (1, 3), epsilon).reshape(x.shape), gamma, beta)
