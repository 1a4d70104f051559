"""Receptive fields, against what each output of a network is seen to depend on."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.graph.receptive import dependence, receptive_fields
from nnctl.spec.info import DataInfo
from tests.graph.networks import CLASSES, graph
from tests.plan.nets import random_parameters
from tests.reference import network
from tests.vectors.case import Context

NETS = {
    "one": ((9, 9, 1), "conv2d filters=2 kernel_size=[3,2]"),
    "strides": (
        (30, 30, 1),
        "conv2d filters=2 kernel_size=3 stride=2\ntanh\nconv2d filters=2 kernel_size=3 stride=2\n"
        "conv2d filters=2 kernel_size=2",
    ),
    "figure 3": (
        (36, 36, 1),
        "conv2d filters=2 kernel_size=11\navg_pool2d pool_size=3 stride=2\n"
        "conv2d filters=1 kernel_size=7\navg_pool2d pool_size=3 stride=2\nflatten\ndense units=3",
    ),
    "borders": (
        (20, 20, 1),
        'conv2d filters=2 kernel_size=5 padding="same"\n'
        'conv2d filters=2 kernel_size=3 padding="full" stride=2\navg_pool2d padding="same"',
    ),
    "series": (
        (24, 2),
        'conv1d filters=2 kernel_size=3 padding="causal" dilation=2\n'
        'conv1d filters=2 kernel_size=2 padding="causal" dilation=4',
    ),
    "volume": ((6, 7, 8, 1), "conv3d filters=1 kernel_size=[1,2,3]\navg_pool3d stride=1"),
    "residual": (
        (16, 16, 1),
        'conv2d filters=2 kernel_size=3 padding="same" name="a"\n'
        'conv2d filters=2 kernel_size=3 padding="same"\ntanh\n'
        'conv2d filters=2 kernel_size=3 padding="same" name="b"\nadd from=["a","b"]',
    ),
    "aside": (
        (24, 1),
        'conv1d filters=1 kernel_size=3 padding=[2,0] name="a" from="input"\n'
        'conv1d filters=1 kernel_size=3 padding=[0,2] name="b" from="input"\nadd from=["a","b"]',
    ),
    "up": (
        (12, 12, 1),
        'conv2d filters=1 kernel_size=3 stride=2 padding="same"\nup_sampling2d\n'
        "conv2d filters=1 kernel_size=2",
    ),
    "up smoothly": (
        (12, 1),
        'avg_pool1d\nup_sampling1d interpolation="linear"\nconv1d filters=1 kernel_size=3',
    ),
    "bins": ((14, 1), "conv1d filters=1 kernel_size=2\nadaptive_avg_pool output_size=4"),
    "up by three": (
        (5, 1),
        'conv1d filters=1 kernel_size=2\nup_sampling1d size=3 interpolation="linear"\n'
        "conv1d filters=1 kernel_size=2 dilation=3",
    ),
    "transposed": (
        (9, 2),
        "conv1d filters=2 kernel_size=2\n"
        'conv1d_transpose filters=2 kernel_size=4 stride=2 padding="same"\n'
        "conv1d filters=1 kernel_size=3",
    ),
    "transposed with gaps": (
        (4, 5, 1),
        "conv2d_transpose filters=1 kernel_size=[2,5] stride=[3,2] padding=[0,1]\n"
        "conv2d filters=1 kernel_size=[2,1]",
    ),
    "normalized": ((8, 2), "conv1d filters=2 kernel_size=2\ngroup_norm groups=1"),
    "normalized in place": ((8, 2), "conv1d filters=2 kernel_size=2\nlayer_norm"),
    "padding alone": (
        (4, 2),
        "conv1d filters=1 kernel_size=2 padding=5\nconv1d filters=2 kernel_size=2",
    ),
    "whole": ((8, 8, 2), "conv2d filters=2 kernel_size=3\nglobal_avg_pool\ndense units=2"),
    "mirrored": (
        (12, 2),
        'conv1d filters=2 kernel_size=4 padding=[3,0] padding_mode="reflect"\n'
        "conv1d filters=2 kernel_size=2\nconv1d filters=1 kernel_size=3 stride=2",
    ),
    "mirrored at both ends": (
        (7, 6, 1),
        'conv2d filters=1 kernel_size=[2,3] padding=[4,[1,3]] padding_mode="reflect"\n'
        "conv2d filters=1 kernel_size=2",
    ),
    "edges again": (
        (6, 2),
        'conv1d filters=2 kernel_size=2 padding=4 padding_mode="edge"\n'
        "conv1d filters=2 kernel_size=3",
    ),
    "rows": ((8, 8, 1), "reshape shape=[8,8]\nconv1d filters=2 kernel_size=3"),
}


def seen(name: str) -> dict[str, tuple[int, ...]]:
    """How far what changes each output lies apart, by trying every place of the input."""
    shape, layers = NETS[name]
    built = graph(
        layers + "\nflatten\ndense units=10", info=DataInfo({"": shape}, {"": CLASSES}, 9)
    )
    names = (n.removeprefix("param/") for n in random_parameters(built))
    params = dict(zip(names, random_parameters(built).values(), strict=True))
    context = Context(training=False)
    places = shape[:-1] if name != "rows" else (8,)
    stream = np.random.default_rng(0)
    x = stream.normal(size=(1, *shape))
    many = np.repeat(x, np.prod(places), axis=0)
    for k, place in enumerate(np.ndindex(*places)):
        many[k][place] += 1.0
    plain = network.outputs(built, params, {"": x}, context)
    changed = network.outputs(built, params, {"": many}, context)
    found = {}
    for node in built.nodes[1:]:
        moved = np.abs(changed[node.name] - plain[node.name]).reshape(*places, -1) > 1e-12
        found[node.name] = tuple(_widest(moved, axis) for axis in range(len(places)))
    return found


def _widest(moved: np.ndarray, axis: int) -> int:
    """The most places along an axis, from first to last, that one output depends on."""
    others = tuple(k for k in range(moved.ndim - 1) if k != axis)
    along = moved.any(axis=others)
    first, last = along.argmax(axis=0), along.shape[0] - along[::-1].argmax(axis=0)
    return int(np.where(along.any(axis=0), last - first, 0).max())


@pytest.mark.parametrize("name", NETS)
def test_fields_are_what_outputs_depend_on(name: str) -> None:
    shape, layers = NETS[name]
    info = DataInfo({"": shape}, {"": CLASSES}, 9)
    fields = receptive_fields(graph(layers + "\nflatten\ndense units=10", info=info))
    assert fields == seen(name)


def test_where_fields_lie_that_mirrors_turn_round() -> None:
    layers = 'conv1d filters=1 kernel_size=4 padding=[3,0] padding_mode="reflect"\nflatten\n'
    built = graph(layers + "dense units=10", info=DataInfo({"": (6, 1)}, {"": CLASSES}, 9))
    spans = dependence(built)["conv1d_1"]["input", (6,)]
    assert spans == (((0, 4), (0, 3), (0, 3), (0, 4), (1, 5), (2, 6)),)


def test_queries_see_all_keys_and_themselves() -> None:
    info = DataInfo({"a": (4, 2), "b": (3, 2)}, {"": CLASSES}, 9)
    data = '[data]\nsource="t.npz"\ntarget="y"\ninputs={a="a",b="b"}'
    layers = 'attention from=["input.a","input.b"] name="both"\nflatten\ndense units=10'
    spans = dependence(graph(layers, info=info, data=data))["both"]
    assert spans == {
        ("input.a", (4,)): (((0, 1), (1, 2), (2, 3), (3, 4)),),
        ("input.b", (3,)): (((0, 3),),),
    }


def test_fields_of_figure_3() -> None:
    shape, layers = NETS["figure 3"]
    built = graph(layers + "\ndense units=10", info=DataInfo({"": shape}, {"": CLASSES}, 9))
    assert list(receptive_fields(built).values())[:4] == [(11, 11), (13, 13), (25, 25), (29, 29)]


def test_what_has_no_axes_has_no_field() -> None:
    assert receptive_fields(graph("dense units=5\ntanh\ndense units=3")) == {}


def test_what_reads_two_inputs_has_no_field() -> None:
    info = DataInfo({"a": (4, 4, 1), "b": (4, 4, 1)}, {"": CLASSES}, 9)
    data = '[data]\nsource="t.npz"\ntarget="y"\ninputs={a="a",b="b"}'
    layers = 'add from=["input.a","input.b"] name="both"\nflatten\ndense units=10'
    assert receptive_fields(graph(layers, info=info, data=data)) == {}


def test_a_field_is_not_larger_than_the_input() -> None:
    layers = 'conv2d filters=1 kernel_size=7 padding="same"\n' * 3 + "flatten\ndense units=10"
    built = graph(layers, info=DataInfo({"": (9, 5, 1)}, {"": CLASSES}, 9))
    assert receptive_fields(built)["conv2d_3"] == (9, 5)
