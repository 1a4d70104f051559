"""Advice on a network that is legal and yet probably not what is meant.

A lint is a public function in a file of ``lints/``, found there; it takes a ``View`` and yields
``Advice``. What cannot be meant at all is no lint but an error, in ``build``.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from nnctl.errors import Problem
from nnctl.graph.graph import Graph

if TYPE_CHECKING:
    from nnctl.spec import Spec
    from nnctl.spec.info import DataInfo


@dataclass(frozen=True)
class View:
    """What a lint looks at."""

    spec: Spec
    info: DataInfo
    graph: Graph


@dataclass(frozen=True)
class Advice:
    """What looks wrong, where in the spec, and what to do about it."""

    path: tuple[str | int, ...]
    message: str
    hint: str


Lint = Callable[[View], Iterator[Advice]]


def lint(spec: Spec, info: DataInfo, graph: Graph) -> list[Problem]:
    """Return the warnings about a network in the order of the file."""
    view = View(spec, info, graph)
    found = [
        spec.problem(advice.path, f"warning: {advice.message}", advice.hint)
        for check in lints().values()
        for advice in check(view)
    ]
    return sorted(found, key=lambda problem: (problem.line, problem.column, problem.message))


def lints() -> dict[str, Lint]:
    """Return every lint by name."""
    from nnctl.graph import lints as folder

    found: dict[str, Lint] = {}
    for file in pkgutil.iter_modules(folder.__path__):
        module = import_module(f"{folder.__name__}.{file.name}")
        found |= {
            name: value
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
        }
    return found
