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
    inputs = {
        n: stream.integers(0, info.vocabularies[n], (count, *shape))
        if n in info.vocabularies
        else stream.normal(size=(count, *shape))
        for n, shape in info.inputs.items()
    }
    targets: dict[str, Array] = {}
    for name, target in info.targets.items():
        if target.steps is not None:
            targets[name] = _over_steps(stream, target, count)
        elif target.kind == "class":
            targets[name] = stream.integers(0, target.width, count)
        else:
            targets[name] = stream.normal(size=(count, target.width))
    return inputs, targets


def _over_steps(stream: np.random.Generator, target: TargetInfo, count: int) -> Array:
    """Labels or numbers of every step, some of which do not count."""
    steps = target.steps or 0
    uncounted = stream.random((count, steps)) < 0.3
    uncounted[1] = True
    if target.kind == "class":
        return np.where(uncounted, -1, stream.integers(0, target.width, (count, steps)))
    numbers = stream.normal(size=(count, steps, target.width))
    numbers[uncounted, -1] = np.nan
    return numbers


def same(one: dict[str, Array], other: dict[str, Array]) -> bool:
    """Whether two sets of tensors have the same names and bits."""
    return one.keys() == other.keys() and all(
        a.tobytes() == other[name].tobytes() for name, a in one.items()
    )


TWO_TARGETS = '[data]\nsource = "two.npz"\n[data.targets]\ns = "s"\nt = "t"\n'
TWO_LOSSES = (
    '[loss.left]\ntype = "huber"\ntarget = "s"\nweight = 0.5\n'
    '[loss.right]\ntype = "cross_entropy"\ntarget = "t"\nweight = 2.0\nlabel_smoothing = 0.1\n'
)
TWO_INPUTS = '[data]\nsource = "two.npz"\ntarget = "y"\n[data.inputs]\nu = "u"\nv = "v"\n'
TWO_ENDS = (
    '[data]\nsource = "two.npz"\n[data.inputs]\nu = "u"\nv = "v"\n'
    '[data.targets]\ns = "s"\nt = "t"\n'
)
U_AND_V = {"u": (3,), "v": (2, 2, 1)}
S_AND_T = {"s": TargetInfo("number", 2), "t": TargetInfo("class", 3)}

# name: (layers, header, rest, data)
NETS: dict[str, tuple[str, DataInfo, str, str]] = {
    "mlp": ("dense units=5\ntanh\ndense units=3", classes(), networks.LOSS, networks.HEAD),
    "deep": (
        "dense units=9\ngelu\ndense units=7\nsilu\ndense units=17\nelu\ndense units=2",
        numbers(4, 2), MSE, networks.HEAD,
    ),
    "dropout": (
        "dense units=19\ntanh\ndropout rate=0.4\ndense units=33\ndropout rate=0.2\ndense units=3",
        classes(), networks.LOSS, networks.HEAD,
    ),
    "fan-out": (
        'dense units=6 name="a"\ntanh name="t"\ndense units=6 name="b"\n'
        'add from=["a","b","t"]\nsigmoid name="s"\nmultiply from=["s","a"]\ndense units=3',
        classes(), networks.LOSS, networks.HEAD,
    ),
    "itself twice": (
        'dense units=4 name="a"\nadd from=["a","a"]\ntanh name="t"\n'
        'multiply from=["t","t"] name="m"\n'
        'concat from=["m","a"]\ndense units=1',
        numbers(), MSE, networks.HEAD,
    ),
    "tied": (
        'dense units=5 name="a"\ntanh\ndense units=4 name="back" share="a" transposed=true\n'
        'tanh\ndense units=5 name="again" share="a"\ndense units=3',
        classes(), networks.LOSS, networks.HEAD,
    ),
    "tied square": (
        'dense units=4 name="a"\ntanh\ndense units=4 share="a"\nsoftplus\n'
        'dense units=4 share="a" transposed=true\ndense units=1',
        numbers(), MSE, networks.HEAD,
    ),
    "two losses": (
        'dense units=5 name="stem"\ntanh name="t"\ndense units=2 name="left"\n'
        'dense units=3 name="right" from="t"',
        DataInfo({"": (4,)}, S_AND_T, 50), TWO_LOSSES, TWO_TARGETS,
    ),
    "two inputs": (
        'dense units=4 name="a" from="input.u"\nflatten name="f" from="input.v"\n'
        'dense units=4 name="b"\nmultiply name="m" from=["a","b"]\nconcat name="c" from=["m","f"]\n'
        'dense units=1',
        DataInfo(U_AND_V, {"": TargetInfo("number", 1)}, 50), MSE, TWO_INPUTS,
    ),
    "inputs and losses": (
        'dense units=4 name="a" from="input.u"\nflatten name="f" from="input.v"\n'
        'concat name="c" from=["a","f"]\ntanh name="t"\ndense units=2 name="left"\n'
        'dense units=3 name="right" from="t"',
        DataInfo(U_AND_V, S_AND_T, 50), TWO_LOSSES, TWO_ENDS,
    ),
    "shapes": (
        'reshape shape=[2,3,2] name="r"\nsoftmax name="s"\nconcat axis=1 from=["r","s"]\n'
        "flatten\ndense units=3",
        classes(12), networks.LOSS, networks.HEAD,
    ),
    "steps": (
        'conv1d filters=5 kernel_size=2 padding="causal" name="c"\nlayer_norm\n'
        'dense units=4 activation="tanh" name="d"\nconcat from=["c","d"]\ndropout rate=0.3\n'
        "dense units=3",
        DataInfo({"": (6, 2)}, {"": TargetInfo("class", 3, steps=6)}, 50),
        networks.LOSS + "label_smoothing = 0.1\n", networks.HEAD,
    ),
    "loss in the middle": (
        'dense units=2 name="left"\ntanh name="t"\ndense units=3 name="right"',
        DataInfo({"": (4,)}, S_AND_T, 50),
        TWO_LOSSES, TWO_TARGETS,
    ),
}  # fmt: skip
FIRST = {"loss in the middle": 'outputs = ["left", "right"]'}


def named(name: str, more: str = "") -> tuple[Graph, Any, DataInfo]:
    """The graph, the optimizer and the header of one of ``NETS``."""
    layers, info, rest, data = NETS[name]
    graph, optimizer = net(layers, info, rest + more, data=data, first=FIRST.get(name, ""))
    return graph, optimizer, info
