"""Data made from a formula: what they will be (stdlib only), and the making of them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, cast

from nnctl.data.problems import Locate
from nnctl.data.reading import Reading
from nnctl.data.roles import INPUT
from nnctl.data.tokens import START, STOP, Vocabulary
from nnctl.errors import Problem, SpecError
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
    symbols = model.symbols()
    if symbols is not None:
        problems += _of_tokens(data, locate)
    if problems:
        raise SpecError(problems)
    shape = model.shape()
    target = TargetInfo("rows", prod(shape)) if data.target == INPUT else model.target()
    tokens = model.vocabulary()
    sizes = {} if tokens is None else {"": tokens}
    lengths = ("",) if model.varies() else ()
    info = DataInfo({"": shape}, {"": target}, model.samples)
    return replace(info, vocabularies=sizes, lengths=lengths)


def _of_tokens(data: DataSpec, locate: Locate) -> Iterator[Problem]:
    """Find keys that only numbers can obey."""
    if data.normalize != "none":
        yield locate(("data", "normalize"), "has no effect: tokens are not scaled", "remove it")
    if data.target == INPUT:
        message = "tokens are not rebuilt: they are symbols, not numbers"
        yield locate(("data", "target"), message, "remove it")


def reading(model: GeneratorModel, info: DataInfo, dtype: str) -> Reading:
    """Return what another file needs to be read like the data that were made."""
    symbols, target = model.symbols(), info.targets[""]
    known, said = {}, {}
    if symbols is not None:
        known[""] = Vocabulary("character", symbols)
        said[""] = Vocabulary("character", (target.classes or ())[2:], (START, STOP))
    name, dtypes, sizes = model.generate, {"": dtype}, dict(info.vocabularies)
    return Reading(name, "formula", None, info.inputs, dtypes, info.targets, sizes, known, said)


def make(model: GeneratorModel) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Make inputs (N, *shape), labels (N, ...) and, where they vary, the lengths of the inputs:
    a pure function of the model's fields."""
    from nnctl.random import Purpose, generator

    module = importlib.import_module(f"nnctl.data.generators.{model.generate}")
    inputs, labels, *lengths = module.generate(model, generator(model.seed, Purpose.GENERATE))
    return inputs, labels, lengths[0] if lengths and model.varies() else None
