"""The protocol between an update rule's file and the plan.

A rule is one fused pass over all parameters: a formula on a parameter ``p``, its gradient ``g`` and
the rule's slots, with the optimizer's fields and the step-dependent scalars by name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from nnctl.engine.kernel import Kernel

Fields = Mapping[str, Any]
Scalars = Callable[[Fields, np.ndarray], dict[str, np.ndarray]]


def _no_scalars(fields: Fields, t: np.ndarray) -> dict[str, np.ndarray]:
    return {}


@dataclass(frozen=True)
class Rule:
    """One update rule.

    ``slots`` start at zero and belong to the state; ``temporary`` slots live within a step.
    ``before`` runs at the start of a step, before the forward pass. ``scalars(fields, t)`` gives
    the numbers that change with the step, for steps t = 1, 2, ..., besides ``learning_rate``.
    """

    update: Kernel
    slots: tuple[str, ...] = ()
    temporary: tuple[str, ...] = ()
    before: Kernel | None = None
    scalars: Scalars = field(default=_no_scalars)


_RULES: dict[str, Callable[[Fields], Rule]] = {}


def register(tag: str, rule: Rule | Callable[[Fields], Rule]) -> None:
    """Say how the optimizer ``tag`` moves parameters; a function chooses by the fields."""
    _RULES[tag] = (lambda fields: rule) if isinstance(rule, Rule) else rule


@lru_cache
def _load_all() -> None:
    package = importlib.import_module("nnctl.optim")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"nnctl.optim.{module.name}")


def find(tag: str, fields: Fields) -> Rule:
    """Return the rule of an optimizer."""
    _load_all()
    return _RULES[tag](fields)


def tags() -> tuple[str, ...]:
    """Return the types of all optimizers, sorted."""
    _load_all()
    return tuple(sorted(_RULES))
