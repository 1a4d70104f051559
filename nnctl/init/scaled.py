"""Starts scaled so that signals keep their variance from layer to layer.

Glorot & Bengio 2010 (variance 2 / (fan_in + fan_out)); He et al. 2015 (variance 2 / fan_in).
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

__all__ = ["glorot_normal", "glorot_uniform", "he_normal", "he_uniform"]

Shape = tuple[int, ...]


def glorot_uniform(model: Any, shape: Shape, fan_in: int, fan_out: int, stream: Any) -> np.ndarray:
    limit = sqrt(6.0 / (fan_in + fan_out))
    return np.asarray(stream.uniform(-limit, limit, shape))


def glorot_normal(model: Any, shape: Shape, fan_in: int, fan_out: int, stream: Any) -> np.ndarray:
    return np.asarray(stream.normal(0.0, sqrt(2.0 / (fan_in + fan_out)), shape))


def he_uniform(model: Any, shape: Shape, fan_in: int, fan_out: int, stream: Any) -> np.ndarray:
    limit = sqrt(6.0 / fan_in)
    return np.asarray(stream.uniform(-limit, limit, shape))


def he_normal(model: Any, shape: Shape, fan_in: int, fan_out: int, stream: Any) -> np.ndarray:
    return np.asarray(stream.normal(0.0, sqrt(2.0 / fan_in), shape))
