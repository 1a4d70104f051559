"""What a convolution is: the same weights at every place, each output its own part of the input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnctl.graph import Graph
from nnctl.graph.receptive import dependence
from nnctl.plan import Plan
from nnctl.spec.info import DataInfo
from tests.graph.networks import CLASSES, graph
from tests.plan.nets import plan_of

Array = np.ndarray[Any, Any]
LOSS = '[loss]\ntype = "mse"\n'
CHAIN = (
    'conv2d filters=5 kernel_size=5 activation="relu"\n'
    "max_pool2d pool_size=3 stride=2\n"
    "conv2d filters=4 kernel_size=3 dilation=2\n"
    "avg_pool2d\n"
    "conv2d filters=3 kernel_size=2 padding=[[1,0],[0,1]]"
)
# rank: layers whose windows go in steps of 2 and 3, so that 6 places move the output by one
STEPS = {
    1: "conv1d filters=7 kernel_size=3 stride=2\ntanh\nmax_pool1d pool_size=3",
    2: "conv2d filters=7 kernel_size=[3,2] stride=2\ntanh\nmin_pool2d pool_size=3",
    3: "conv3d filters=4 kernel_size=2 stride=2 groups=2\ntanh\navg_pool3d pool_size=3",
}
SIDES = {1: (62,), 2: (38, 44), 3: (20, 26, 20)}


def _net(layers: str, shape: tuple[int, ...], **options: Any) -> tuple[Graph, Plan]:
    """A network that ends where its layers end, with a head so that it has a loss."""
    built = graph(layers + '\nglobal_avg_pool\ndense units=10 name="head"', LOSS,
                  DataInfo({"": shape}, {"": CLASSES}, 9))  # fmt: skip
    return built, plan_of(built, **options)


def _outputs(plan: Plan, x: Array, layer: str) -> Array:
    plan.attach("new", {"": x})
    return np.array(plan.features("new", None, layer))


# by tiles of outputs, which round with their neighbors' numbers
TILES = (
    'conv2d filters=33 kernel_size=3 padding="same"\nmax_pool2d\nconv2d filters=17 kernel_size=3'
)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("layers", "channels"), [(CHAIN, 2), (TILES, 16)])
def test_one_pixel_changes_what_sees_it_and_nothing_else(
    layers: str, channels: int, dtype: str
) -> None:
    shape = (30, 26, channels)
    built, plan = _net(layers, shape, dtype=dtype)
    rounding = 0.0 if layers == CHAIN else 32 * np.finfo(dtype).eps
    x = np.random.default_rng(0).normal(size=(1, *shape))
    pixels = [(0, 0), (29, 25), (13, 12), (14, 3), (29, 0)]
    many = np.repeat(x, len(pixels), axis=0)
    for k, pixel in enumerate(pixels):
        many[k][pixel] += 3.0
    for name, seen in dependence(built).items():
        (spans,) = seen.values()
        plain, changed = _outputs(plan, x, name), _outputs(plan, many, name)
        if plain.ndim != len(shape) + 1:
            continue
        moved = (abs(changed - plain) > rounding * abs(changed).max()).any(axis=-1)
        for k, pixel in enumerate(pixels):
            sees = [
                [first <= place < end for first, end in axis]
                for axis, place in zip(spans, pixel, strict=True)
            ]
            assert not moved[k][~np.outer(*sees)].any(), (name, pixel)
        assert moved.any(), name


@pytest.mark.parametrize("rank", STEPS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_shift_by_whole_strides_shifts_the_output(rank: int, dtype: str) -> None:
    """By 6 places of the input, whose strides are 2 and 3: to the same bits, away from borders."""
    shape = (*SIDES[rank], 2)
    built, plan = _net(STEPS[rank], shape, dtype=dtype)
    x = np.random.default_rng(rank).normal(size=(1, *shape))
    name = built.nodes[3].name
    plain = _outputs(plan, x, name)
    for axis in range(1, rank + 1):
        shifted = _outputs(plan, np.roll(x, 6, axis), name)
        inner = plain.shape[axis] - 1
        old = np.take(plain, range(inner), axis)
        new = np.take(shifted, range(1, inner + 1), axis)
        assert np.array_equal(new, old)
        assert not np.array_equal(np.take(shifted, range(inner), axis), old)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.roll(x, 1, 1),  # half a stride
        lambda x: np.rot90(x, axes=(1, 2)),
        lambda x: np.repeat(np.repeat(x[:, :16, :16], 2, 1), 2, 2),
    ],
    ids=["half a stride", "turned", "twice as large"],
)
def test_what_a_convolution_is_not_equivariant_to(change: Callable[[Array], Array]) -> None:
    """The same change of the output is not what a change of the input gives."""
    built, plan = _net("conv2d filters=4 kernel_size=2 stride=2", (32, 32, 2))
    x = np.random.default_rng(0).normal(size=(1, 32, 32, 2))
    name = built.nodes[1].name
    plain, found = _outputs(plan, x, name), _outputs(plan, change(x), name)
    candidates = [np.roll(plain, 1, 1), plain, np.rot90(plain, axes=(1, 2))]
    candidates.append(np.repeat(np.repeat(plain[:, :8, :8], 2, 1), 2, 2))
    for wanted in candidates:
        assert np.abs(found - wanted)[:, 2:-2, 2:-2].max() > 0.1


@pytest.mark.parametrize("rank", STEPS)
def test_parameters_do_not_depend_on_the_size_of_the_input(rank: int) -> None:
    small, _ = _net(STEPS[rank], (*[20] * rank, 2))
    large, plan = _net(STEPS[rank], (*SIDES[rank], 2))
    assert small.parameter_count == large.parameter_count
    shapes = {name: one.shape for name, one in small.parameters.items()}
    assert shapes == {name: values.shape for name, values in plan.parameters().items()}
