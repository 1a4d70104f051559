"""Data made from a formula: what they will be (stdlib only), and the making of them."""

from __future__ import annotations

import importlib
from math import prod
from typing import TYPE_CHECKING, cast

from nnctl.data.problems import Locate
from nnctl.data.roles import INPUT
from nnctl.errors import SpecError
from nnctl.spec.info import DataInfo, TargetInfo

if TYPE_CHECKING:
    import numpy as np

    from nnctl.spec.data import DataSpec
    from nnctl.spec.generators.base import GeneratorModel


def describe(data: DataSpec, locate: Locate) -> DataInfo:
    """Return what a generator declares. Raises SpecError for keys that it cannot obey."""
    model = cast("GeneratorModel", data.source)
    problems = []
    for key in ("group", "order"):
        if getattr(data.split, key) is not None:
            message = "has no effect: generated data have no columns"
            problems.append(locate(("data", "split", key), message, "remove it"))
    for key in ("test", "validation"):
        if getattr(data, key) is not None:
            message = "has no effect: generated data are split, not joined with files"
            problems.append(locate(("data", key), message, "remove it, and set data.split"))
    if problems:
        raise SpecError(problems)
    shape = model.shape()
    target = TargetInfo("rows", prod(shape)) if data.target == INPUT else model.target()
    tokens = model.vocabulary()
    sizes = {} if tokens is None else {"": tokens}
    return DataInfo({"": shape}, {"": target}, model.samples, vocabularies=sizes)


def make(model: GeneratorModel) -> tuple[np.ndarray, np.ndarray]:
    """Make inputs (N, *shape) and labels (N,), or (N, steps): pure in the model's fields."""
    from nnctl.random import Purpose, generator

    module = importlib.import_module(f"nnctl.data.generators.{model.generate}")
    inputs, labels = module.generate(model, generator(model.seed, Purpose.GENERATE))
    return inputs, labels
