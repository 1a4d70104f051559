"""Splits and fusion."""

from __future__ import annotations

import pytest

from nnctl.graph import Graph, fuse, insert_splits
from nnctl.graph.passes import sink
from nnctl.spec.info import DataInfo

from .networks import ROWS, graph

RESIDUAL = """
    dense units=4 name="a"
    relu name="r"
    dense units=4 name="b"
    add from=["b","r"] name="s"
    dense units=3 name="end"
"""


def _readers(built: Graph, name: str) -> list[str]:
    return built.readers()[name]


def test_fan_out_becomes_a_split() -> None:
    built = graph(RESIDUAL)
    split = insert_splits(built)
    names = [node.name for node in split.nodes]
    assert names == ["input", "a", "r", "r.split", "b", "s", "end"]
    assert split.node("r.split").op == "split"
    assert split.node("r.split").shape == (4,)
    assert _readers(split, "r") == ["r.split"]
    assert _readers(split, "r.split") == ["b", "s"]
    assert built.node("b").inputs == ("r",), "the graph given is as it was"


def test_reading_one_node_twice_is_a_fan_out() -> None:
    split = insert_splits(graph('dense units=3 name="a"\nmultiply from=["a","a"] name="m"'))
    assert split.node("m").inputs == ("a.split", "a.split")


def test_a_loss_is_a_reader() -> None:
    rest = '[loss.mid]\ntype="cross_entropy"\n[loss.end]\ntype="cross_entropy"\n'
    layers = 'dense units=3 name="mid"\ndense units=3 name="end"'
    split = insert_splits(graph(layers, rest, first='outputs = ["mid", "end"]'))
    assert split.losses[0].output == "mid.split"
    assert split.node("end").inputs == ("mid.split",)
    assert split.outputs == ("mid", "end")


def test_inputs_are_not_split_and_a_stack_has_no_splits() -> None:
    layers = 'dense units=3 name="a"\ndense units=3 name="b" from="input"\nadd from=["a","b"]'
    assert [n.op for n in insert_splits(graph(layers)).nodes] == ["input", "dense", "dense", "add"]


def test_an_activation_is_fused_with_its_dense_layer() -> None:
    built = fuse(
        graph(
            'dense units=5 activation="relu"\ntanh\ndense units=3\nsigmoid name="s"',
            '[loss]\ntype="mse"\n',
        )
    )
    fused = {node.name: node.fused_with for node in built.nodes if node.fused_with}
    assert fused == {"dense_1.activation": "dense_1", "s": "dense_2"}


def test_what_others_read_is_not_fused() -> None:
    built = graph('dense units=4 name="a"\nrelu name="r"\nadd from=["a","r"]\ndense units=3')
    assert all(node.fused_with is None for node in fuse(built).nodes)
    layers = 'dense units=3 name="a"\nsigmoid name="s"'
    rest = '[loss.a]\ntype="cross_entropy"\n[loss.s]\ntype="mse"\n'
    built = graph(layers, rest, first='outputs = ["a", "s"]')
    assert all(node.fused_with is None for node in fuse(built).nodes)


POOLED = 'conv2d filters=2 kernel_size=3 activation="relu"\n{}\nflatten\ndense units=3'
IMAGES = DataInfo({"": (8, 8, 1)}, ROWS.targets, 100)


def test_an_activation_that_keeps_the_largest_comes_after_the_pool_that_takes_it() -> None:
    built = graph(POOLED.format("max_pool2d"), info=IMAGES)
    found = sink(built)
    assert [n.op for n in found.nodes] == [
        "input",
        "conv2d",
        "max_pool2d",
        "relu",
        "flatten",
        "dense",
    ]
    assert [n.name for n in found.nodes][2:4] == ["max_pool2d_1", "conv2d_1.activation"]
    assert found.node("conv2d_1.activation").shape == (3, 3, 2)
    assert found.node("flatten_1").inputs == ("conv2d_1.activation",)
    assert found.node("max_pool2d_1").inputs == ("conv2d_1",)


@pytest.mark.parametrize(
    "layers",
    [
        POOLED.format("avg_pool2d"),
        POOLED.format("min_pool2d"),
        POOLED.format("max_pool2d").replace("relu", "tanh"),
        POOLED.format('max_pool2d name="p"\nadd from=["p", "p"]'),
        'conv2d filters=2 kernel_size=3 name="c"\nrelu name="r"\nglobal_max_pool name="p"\n'
        'flatten name="f" from="r"\nconcat from=["p", "f"]\ndense units=3',
    ],
)
def test_other_activations_and_pools_stay_where_they_are(layers: str) -> None:
    built = graph(layers, info=IMAGES)
    assert sink(built) == built


def test_softmax_and_dropout_are_not_elementwise() -> None:
    built = graph("dense units=5\nsoftmax\ndense units=4\ndropout\ndense units=3")
    assert all(node.fused_with is None for node in fuse(built).nodes)


def test_passes_in_either_order_agree() -> None:
    built = graph(f"{RESIDUAL.rstrip()}\nrelu", '[loss]\ntype="mse"\n')
    one, two = fuse(insert_splits(built)), insert_splits(fuse(built))
    assert one == two
    assert one.node("relu_2").fused_with == "end"
