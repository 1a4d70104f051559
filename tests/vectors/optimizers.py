"""Optimizers at their defaults and at their edges."""

from __future__ import annotations

from tests.reference import optim
from tests.vectors.case import OptimCase

OPTIMIZERS = [
    OptimCase("adam", optim.adam, fields)
    for fields in (
        {},
        {"beta1": 0.0},
        {"beta2": 0.0},
        {"beta1": 0.5, "beta2": 0.9, "epsilon": 1e-3},
        {"epsilon": 1.0},
    )
]
OPTIMIZERS += [
    OptimCase("sgd", optim.sgd, fields)
    for fields in (
        {},
        {"momentum": 0.9},
        {"momentum": 0.5},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.3, "nesterov": True},
    )
]
OPTIMIZERS += [
    OptimCase("sgd", optim.sgd_torch, {"momentum": 0.9, "form": "torch", "nesterov": nesterov})
    for nesterov in (False, True)
]
