"""How parameters start: pure functions of the seed and the parameter's name, a file per family.

A family's file holds one function per type, named by the type:
``he_normal(model, shape, fan_in, fan_out, generator) -> float64 array``.
"""

from __future__ import annotations

import importlib
import pkgutil
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from nnctl.random import Purpose, generator

Start = Callable[[Any, tuple[int, ...], int, int, np.random.Generator], np.ndarray]


@lru_cache
def starts() -> dict[str, Start]:
    """Return the initializers by type."""
    found: dict[str, Start] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        found |= {name: getattr(module, name) for name in module.__all__}
    return found


def initialize(graph: Any, seed: int) -> dict[str, np.ndarray]:
    """Return the first values of all parameters of a graph, float64, in their own shapes.

    A parameter's stream depends on its name and the seed only: adding a layer moves no other.
    """
    values = {}
    for name, parameter in graph.parameters.items():
        stream = generator(seed, Purpose.INIT, zlib.crc32(name.encode()))
        values[name] = _start(parameter, stream)
    return values


def _start(parameter: Any, stream: np.random.Generator) -> np.ndarray:
    fans = parameter.fan_in, parameter.fan_out
    if not isinstance(parameter.init, tuple):
        return starts()[parameter.init.type](parameter.init, parameter.shape, *fans, stream)
    shape = (*parameter.shape[:-1], parameter.shape[-1] // len(parameter.init))
    parts = [starts()[one.type](one, shape, *fans, stream) for one in parameter.init]
    return np.concatenate(parts, axis=-1)
