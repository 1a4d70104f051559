"""Plans of small networks written as users write them, with random parameters and data."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.graph import Graph, build
from nnctl.plan import Plan, compile_plan
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph import networks

Array = np.ndarray[Any, Any]
ADAM = '[optimizer]\ntype = "adam"\n'
MSE = '[loss]\ntype = "mse"\n'


def numbers(inputs: int = 4, outputs: int = 1) -> DataInfo:
    return DataInfo({"": (inputs,)}, {"": TargetInfo("number", outputs)}, 100)


def classes(inputs: int = 4, count: int = 3) -> DataInfo:
    return DataInfo({"": (inputs,)}, {"": TargetInfo("class", count)}, 100)


def net(layers: str, info: DataInfo, rest: str = MSE, **more: str) -> tuple[Graph, Any]:
    """A graph and the optimizer of its spec."""
    spec = networks.spec(layers, rest, **more)
    return build(spec, info), spec.optimizer


def random_parameters(graph: Graph, seed: int = 0) -> dict[str, Array]:
    """Random values for all parameters, biases among them, as tensors to restore."""
    stream = np.random.default_rng(seed)
    return {
        f"param/{name}": stream.normal(0, 1 / np.sqrt(max(one.fan_in, 1)), one.shape)
        for name, one in graph.parameters.items()
    }


def plan_of(graph: Graph, optimizer: Any = None, seed: int = 0, **options: Any) -> Plan:
    """A plan with random parameters; float64, a batch of 8, one thread, unless told otherwise."""
    given = {"dtype": "float64", "batch": 8, "eval_batch": 8, "threads": 1, **options}
    plan = compile_plan(graph, optimizer=optimizer, seed=3, **given)
    plan.restore(random_parameters(graph, seed))
    return plan


def data_of(info: DataInfo, count: int = 20, seed: int = 1) -> tuple[dict[str, Array], Any]:
    """Random inputs and targets that fit a header."""
    stream = np.random.default_rng(seed)
    inputs = {n: stream.normal(size=(count, *shape)) for n, shape in info.inputs.items()}
    targets: dict[str, Array] = {}
    for name, target in info.targets.items():
        if target.kind == "class":
            targets[name] = stream.integers(0, target.width, count)
        else:
            targets[name] = stream.normal(size=(count, target.width))
    return inputs, targets


def same(one: dict[str, Array], other: dict[str, Array]) -> bool:
    """Whether two sets of tensors have the same names and bits."""
    return one.keys() == other.keys() and all(
        a.tobytes() == other[name].tobytes() for name, a in one.items()
    )
