"""Starts that do not depend on the layer's size."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["constant", "normal", "uniform", "zeros"]

Shape = tuple[int, ...]


def zeros(model: Any, shape: Shape, fan_in: int, fan_out: int, stream: Any) -> np.ndarray:
    return np.zeros(shape)


def constant(model: Any, shape: Shape, fan_in: int, fan_out: int, stream: Any) -> np.ndarray:
    return np.full(shape, float(model.value))


def uniform(model: Any, shape: Shape, fan_in: int, fan_out: int, stream: Any) -> np.ndarray:
    return np.asarray(stream.uniform(model.low, model.high, shape))


def normal(model: Any, shape: Shape, fan_in: int, fan_out: int, stream: Any) -> np.ndarray:
    return np.asarray(stream.normal(model.mean, model.std, shape))
