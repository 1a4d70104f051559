"""Which metrics there are: a function registers itself for the view that it reads.

The files of this folder are found by scanning it, so a new metric is a new function or file.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeVar

import nnctl.metrics
from nnctl.metrics.views import View

Function = TypeVar("Function", bound=Callable[..., float])

_METRICS: dict[tuple[str, type[View]], Callable[..., float]] = {}


def metric(name: str, of: type[View]) -> Callable[[Function], Function]:
    """Register ``function(view) -> float``; NaN means undefined here.

    A ``{k}`` in the name stands for a whole number that the function takes as its second
    argument: ``top_{k}_accuracy`` answers to ``top_3_accuracy``.
    """

    def register(function: Function) -> Function:
        _METRICS[name, of] = function
        return function

    return register


@cache
def discover() -> None:
    """Import every file of the folder once, so that its metrics are registered."""
    for module in pkgutil.iter_modules(nnctl.metrics.__path__):
        importlib.import_module(f"nnctl.metrics.{module.name}")


def names(of: type[View]) -> tuple[str, ...]:
    """Return the metrics that read such a view, sorted; patterns keep their ``{k}``."""
    discover()
    return tuple(sorted({name for name, view in _METRICS if issubclass(of, view)}))


def views_of(name: str) -> tuple[type[View], ...]:
    """Return the views for which ``name`` is registered; none: there is no such metric."""
    discover()
    return tuple(view for known, view in _METRICS if _argument(known, name) is not None)


def compute(view: View, wanted: Iterable[str] | None = None) -> dict[str, float]:
    """Return the named metrics of ``view`` (default: all without a parameter).

    A value that is undefined (no sample, a NaN among the outputs) is NaN. A name that is not
    registered for this view is left out: who asked for it decides what that means.
    """
    known = names(type(view))
    if wanted is None:
        wanted = [name for name in known if "{" not in name]
    found = ((name, _find(type(view), name)) for name in wanted)
    return {
        name: float(call(view)) if view.sound else float("nan")
        for name, call in found
        if call is not None
    }


def _find(of: type[View], name: str) -> Callable[[View], float] | None:
    for (known, kind), function in _METRICS.items():
        arguments = _argument(known, name)
        if issubclass(of, kind) and arguments is not None:
            return lambda view, f=function, a=arguments: f(view, *a)  # type: ignore[misc]
    return None


def _argument(known: str, name: str) -> tuple[Any, ...] | None:
    """Return the arguments that ``name`` carries if it is an instance of ``known``, else None."""
    pattern = re.escape(known).replace(r"\{k\}", "([1-9][0-9]*)")
    match = re.fullmatch(pattern, name)
    return tuple(map(int, match.groups())) if match else None
