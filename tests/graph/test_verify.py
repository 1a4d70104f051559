"""Every planted fault in a graph is caught, and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from nnctl.graph import Graph, LossNode, Node, Parameter, ParamUse, fuse, insert_splits, verify
from nnctl.graph.graph import State
from nnctl.graph.verify import RULES, IllegalGraph

from .networks import graph

LAYERS = """
    dense units=4 name="a" activation="relu"
    dense units=4 name="b"
    add from=["a","b"] name="s"
    dense units=3 name="head"
"""


def _with_node(built: Graph, name: str, **changes: object) -> Graph:
    nodes = tuple(replace(n, **changes) if n.name == name else n for n in built.nodes)  # type: ignore[arg-type]
    return replace(built, nodes=nodes)


def _with_parameters(built: Graph, **changes: Parameter) -> Graph:
    return replace(built, parameters={**built.parameters, **changes})


def _turned(built: Graph) -> Graph:
    vector = replace(built.node("head"), params={"w": ParamUse("head.b", transposed=True)})
    return replace(built, nodes=(*built.nodes[:-1], vector))


FAULTS: dict[str, tuple[Callable[[Graph], Graph], str]] = {
    "two of a name": (
        lambda g: replace(g, nodes=(*g.nodes, g.nodes[-1])),
        "2 nodes are named 'head'",
    ),
    "wrong order": (
        lambda g: replace(g, nodes=(g.nodes[0], g.nodes[2], g.nodes[1], *g.nodes[3:])),
        "'a.activation' reads 'a', which is not before it",
    ),
    "unknown source": (
        lambda g: _with_node(g, "head", inputs=("nobody",)),
        "'head' reads 'nobody', which is not before it",
    ),
    "input of another shape": (
        lambda g: _with_node(g, "input", shape=(9,)),
        "input nodes {'input': (9,)} do not match",
    ),
    "input that reads": (
        lambda g: _with_node(g, "input", inputs=("input",)),
        "'input' (input) reads 1 nodes",
    ),
    "layer that reads nothing": (
        lambda g: _with_node(g, "a", inputs=()),
        "'a' (dense) reads 0 nodes",
    ),
    "axis of zero": (
        lambda g: _with_node(g, "head", shape=(0,)),
        "'head' has the shape (0,)",
    ),
    "elementwise of another shape": (
        lambda g: _with_node(g, "a.activation", shape=(5,)),
        "'a.activation' (relu) changes its shape",
    ),
    "missing parameter": (
        lambda g: replace(g, parameters={k: p for k, p in g.parameters.items() if k != "a.w"}),
        "'a' uses 'a.w' for w, which does not exist",
    ),
    "unused parameter": (
        lambda g: _with_node(g, "a", params={"w": ParamUse("a.w")}),
        "nothing uses the parameter 'a.b'",
    ),
    "parameter under another name": (
        lambda g: _with_parameters(g, **{"a.w": g.parameters["b.w"]}),
        "parameter 'b.w' is listed as 'a.w'",
    ),
    "parameter of another node": (
        lambda g: _with_parameters(g, **{"a.w": replace(g.parameters["a.w"], node="b")}),
        "'b' does not own the parameter 'a.w'",
    ),
    "vector transposed": (_turned, "'head' transposes 'head.b', which is no matrix"),
    "state under another name": (
        lambda g: replace(g, states={"a.m": State("b.m", (4,), 0.0, "b")}),
        "state 'b.m' is listed as 'a.m'",
    ),
    "state that its node does not keep": (
        lambda g: replace(g, states={"a.m": State("a.m", (4,), 0.0, "a")}),
        "'a' does not keep the state 'a.m'",
    ),
    "missing state": (
        lambda g: _with_node(g, "a", states={"m": "a.m"}),
        "'a' keeps 'a.m' as m, which is no state of its own",
    ),
    "unknown output": (
        lambda g: replace(g, outputs=("head", "nobody")),
        "the output 'nobody' does not exist",
    ),
    "loss on nothing": (
        lambda g: replace(g, losses=(LossNode("nobody", "", "mse"),)),
        "the loss 'mse' reads 'nobody', which does not exist",
    ),
    "loss on no output": (
        lambda g: replace(g, losses=(LossNode("b", "", "mse"),)),
        "the loss 'mse' reads 'b', which is no output",
    ),
    "two losses on one output": (
        lambda g: replace(g, losses=g.losses * 2),
        "two losses read one output",
    ),
    "dead node": (
        lambda g: replace(g, nodes=(*g.nodes, Node("x", "relu", ("head",), (3,)))),
        "nothing uses 'x'",
    ),
    "fused with what is not before it": (
        lambda g: _with_node(g, "a.activation", fused_with="b"),
        "'a.activation' cannot be fused with 'b'",
    ),
    "fused with what others read": (
        lambda g: _with_node(_with_node(g, "b", inputs=("a",)), "a.activation", fused_with="a"),
        "'a.activation' is fused with 'a', which others read",
    ),
    "fused and not elementwise": (
        lambda g: _with_node(g, "a.activation", fused_with="a", elementwise=False),
        "'a.activation' is fused and not elementwise",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str) -> None:
    plant, message = FAULTS[fault]
    built = graph(LAYERS)
    assert verify(built) is built
    with pytest.raises(IllegalGraph) as caught:
        verify(plant(built))
    assert message in str(caught.value)


def test_a_fan_out_without_a_split_is_caught() -> None:
    built = graph(LAYERS)
    with pytest.raises(IllegalGraph, match=r"'a.activation' is read 2 times without a split"):
        verify(built, splits=True)
    split = insert_splits(fuse(built))
    alone = _with_node(split, "s", inputs=("b", "b"))
    with pytest.raises(IllegalGraph, match=r"'a.activation.split' splits for 1 readers"):
        verify(alone, splits=True)


def test_every_rule_has_a_fault() -> None:
    """A rule that no fault reaches is not known to work."""
    built = graph(LAYERS)
    broken = [plant(built) for plant, _ in FAULTS.values()]
    assert all(any(list(rule(graph)) for graph in broken) for rule in RULES)
