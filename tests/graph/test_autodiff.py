"""The order of the backward pass, and that walking it gives the gradient."""

from __future__ import annotations

from nnctl.graph import BackwardStep, Graph, backward_order, insert_splits
from nnctl.spec.info import DataInfo, TargetInfo

from .networks import graph

# d = f + 3, e = f g, c = e + 2, b = d + e, a = b c: f reaches a by three paths.
THREE_PATHS = """
    dense units=1 bias=false name="f" from="input.one"
    dense units=1 bias=false name="g" from="input.one"
    add from=["f","input.three"] name="d"
    multiply from=["f","g"] name="e"
    add from=["e","input.two"] name="c"
    add from=["d","e"] name="b"
    multiply from=["b","c"] name="a"
"""
INPUTS = {"one": 1.0, "two": 2.0, "three": 3.0}
INFO = DataInfo(dict.fromkeys(INPUTS, (1,)), {"": TargetInfo("number", 1)}, 1)
DATA = '[data]\nsource="t.csv"\ninputs={one="x1",two="x2",three="x3"}\n'


def three_paths() -> Graph:
    return graph(THREE_PATHS, '[loss]\ntype="mae"\n', INFO, data=DATA)


def test_order_is_reversed_and_skips_what_needs_no_gradient() -> None:
    steps = backward_order(three_paths())
    assert steps == (
        BackwardStep("a", (True, True), False),
        BackwardStep("b", (True, True), False),
        BackwardStep("c", (True, False), False),
        BackwardStep("e", (True, True), False),
        BackwardStep("d", (True, False), False),
        BackwardStep("g", (False,), True),
        BackwardStep("f", (False,), True),
    )


def test_three_paths_give_the_notes_gradient() -> None:
    """At f = 4, g = 2: a = 150 and da/df = 2 + 5g + 2fg + 2fg^2 = 60."""
    split = insert_splits(three_paths())
    value, gradient = _differentiate(split, {"f.w": 4.0, "g.w": 2.0})
    assert value == 150
    assert gradient["f.w"] == 60
    # da/dg = f c + f b = 4 * 10 + 4 * 15
    assert gradient["g.w"] == 100


def _differentiate(built: Graph, weights: dict[str, float]) -> tuple[float, dict[str, float]]:
    """Run a graph of scalars forward and back; each dy is written once, or the test fails."""
    y: dict[str, float] = {}
    for node in built.nodes:
        x = [y[name] for name in node.inputs]
        if node.op == "input":
            y[node.name] = INPUTS[node.name.removeprefix("input.")]
        elif node.op == "dense":
            y[node.name] = x[0] * weights[node.params["w"].parameter]
        else:
            y[node.name] = x[0] * x[1] if node.op == "multiply" else sum(x)
    dy: dict[tuple[str, str], float] = {(built.losses[0].output, "loss"): 1.0}
    dw: dict[str, float] = {}
    for step in backward_order(built):
        node = built.node(step.node)
        arriving = [value for (name, _), value in dy.items() if name == node.name]
        assert len(arriving) == 1 or node.op == "split"
        total = sum(arriving)
        x = [y[name] for name in node.inputs]
        if step.needs_dw:
            key = node.params["w"].parameter
            dw[key] = dw.get(key, 0.0) + total * x[0]
        for i, name in enumerate(node.inputs):
            if step.needs_dx[i]:
                other = x[1 - i] if node.op == "multiply" else 1.0
                dy[name, f"{node.name}/{i}"] = total * other
    return y[built.outputs[0]], dw


def test_a_branch_without_parameters_is_not_walked() -> None:
    built = graph(
        'relu name="side"\ndense units=4 from="input"\nadd from=["side","dense_1"]\ndense units=3'
    )
    assert [step.node for step in backward_order(built)] == ["dense_2", "add_1", "dense_1"]
    step = backward_order(built)[1]
    assert step.needs_dx == (False, True)


def test_what_no_loss_reads_is_not_walked() -> None:
    built = graph(
        'dense units=5 name="a"\nrelu name="features"\ndense units=3 name="head" from="a"',
        '[loss.head]\ntype="cross_entropy"\n',
        first='outputs = ["head", "features"]',
    )
    assert [step.node for step in backward_order(built)] == ["head", "a"]
