"""Convolutions, pools and up-sampling: shapes, parameters, FLOPs, and what does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from nnctl.spec.base import LayerModel
from nnctl.spec.shapes import ShapeError
from tests.reference.conv import out_shape
from tests.spec.test_models import layer


def conv(rank: int = 2, filters: int = 4, kernel_size: Any = 3, **fields: Any) -> Any:
    return layer(f"conv{rank}d", filters=filters, kernel_size=kernel_size, **fields)


@pytest.mark.parametrize(
    ("made", "given", "shape"),
    [
        (conv(filters=9, kernel_size=11), (36, 36, 3), (26, 26, 9)),
        (layer("max_pool2d", pool_size=3, stride=2), (26, 26, 9), (12, 12, 9)),
        (conv(filters=3, kernel_size=7), (12, 12, 9), (6, 6, 3)),
        (layer("max_pool2d", pool_size=3, stride=2), (6, 6, 3), (2, 2, 3)),
        (conv(padding="same", stride=2), (7, 8, 3), (4, 4, 4)),
        (conv(padding="full"), (1, 2, 3), (3, 4, 4)),
        (conv(padding=[1, [0, 2]]), (5, 6, 1), (5, 6, 4)),
        (conv(padding=2, dilation=[1, 2]), (5, 6, 1), (7, 6, 4)),
        (conv(1, padding="causal", stride=3), (7, 2), (3, 4)),
        (conv(1, padding=[2, 0]), (7, 2), (7, 4)),
        (conv(1, padding=[[0, 1]]), (7, 2), (6, 4)),
        (conv(3, kernel_size=[1, 2, 3]), (4, 4, 4, 2), (4, 3, 2, 4)),
        (layer("max_pool1d"), (7, 3), (3, 3)),
        (layer("min_pool2d", pool_size=[3, 2]), (7, 7, 3), (2, 3, 3)),
        (layer("avg_pool3d", padding="same", stride=1), (3, 4, 5, 2), (3, 4, 5, 2)),
        (layer("avg_pool1d", pool_size=3, padding="causal", stride=1), (5, 2), (5, 2)),
        (layer("max_pool2d", pool_size=3, padding="full"), (3, 3, 1), (2, 2, 1)),
        (layer("global_avg_pool"), (5, 6, 7), (7,)),
        (layer("global_max_pool"), (5, 7), (7,)),
        (layer("global_min_pool"), (2, 3, 4, 7), (7,)),
        (layer("adaptive_avg_pool", output_size=2), (5, 6, 7), (2, 2, 7)),
        (layer("adaptive_avg_pool", output_size=[3]), (2, 7), (3, 7)),
        (layer("up_sampling1d"), (5, 7), (10, 7)),
        (layer("up_sampling2d", size=[2, 3]), (5, 6, 7), (10, 18, 7)),
        (layer("up_sampling3d", size=1), (5, 6, 7, 2), (5, 6, 7, 2)),
    ],
)
def test_shapes(made: LayerModel, given: Any, shape: Any) -> None:
    assert made.output_shape([given]) == shape


@pytest.mark.parametrize("padding", ["valid", "same", "full", 1, [2, 0], [[1, 0], [0, 2]]])
@pytest.mark.parametrize("stride", [1, 2, [3, 1]])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("kernel", [1, 2, [3, 2]])
def test_shapes_are_those_of_the_reference(
    padding: Any, stride: Any, dilation: int, kernel: Any
) -> None:
    fields = {"kernel_size": kernel, "stride": stride, "dilation": dilation, "padding": padding}
    for shape in ((7, 8, 2), (5, 6, 2)):
        assert conv(**fields).output_shape([shape]) == out_shape(fields, shape, 4)


def test_parameters_of_a_convolution() -> None:
    made = conv(filters=6, kernel_size=[3, 2], groups=2, bias_init="normal")
    arrays = made.parameters([(8, 8, 4)])
    assert list(arrays) == ["w", "b"]
    assert arrays["w"].shape == (3, 2, 2, 6)
    assert (arrays["w"].kind, arrays["w"].fan_in, arrays["w"].fan_out) == ("weight", 12, 18)
    assert (arrays["b"].shape, arrays["b"].kind) == ((6,), "bias")
    assert arrays["b"].init.type == "normal"
    assert list(conv(bias=False).parameters([(8, 8, 4)])) == ["w"]


def test_parameters_do_not_depend_on_the_size_of_the_image() -> None:
    for rank in (1, 2, 3):
        made = conv(rank, padding="same", stride=2)
        small, large = ((*[size] * rank, 3) for size in (5, 224))
        assert made.parameters([small]) == made.parameters([large])


@pytest.mark.parametrize(
    ("made", "given", "flops"),
    [
        (conv(), (8, 8, 3), 36 * 4 * (2 * 27 + 1)),
        (conv(bias=False, groups=2), (8, 8, 6), 36 * 4 * 2 * 27),
        (layer("max_pool2d"), (8, 8, 3), 16 * 4 * 3),
        (layer("global_avg_pool"), (8, 8, 3), 192),
        (layer("adaptive_avg_pool", output_size=4), (8, 8, 3), 192),
        (layer("up_sampling2d"), (2, 2, 3), 0),
        (layer("up_sampling2d", interpolation="linear"), (2, 2, 3), 8 * 48),
    ],
)
def test_flops(made: LayerModel, given: Any, flops: int) -> None:
    assert made.flops([given]) == flops


@pytest.mark.parametrize(
    ("made", "given", "places"),
    [
        (conv(1, kernel_size=3, stride=2, padding=1), 8, [(0, 2), (1, 4), (3, 6), (5, 8)]),
        (conv(1, kernel_size=2, dilation=3), 5, [(0, 4), (1, 5)]),
        (conv(1, padding=[2, 0], padding_mode="reflect"), 4, [(0, 3), (0, 2), (0, 3), (1, 4)]),
        (conv(1, padding=[0, 2], padding_mode="reflect"), 4, [(0, 3), (1, 4), (2, 4), (1, 4)]),
        (conv(1, kernel_size=1, padding=2, padding_mode="edge"), 2,
         [(0, 1), (0, 1), (0, 1), (1, 2), (1, 2), (1, 2)]),
        (layer("avg_pool1d", padding="same", pool_size=3), 5, [(0, 3), (3, 5)]),
        (layer("adaptive_avg_pool", output_size=3), 7, [(0, 3), (2, 5), (4, 7)]),
        (layer("up_sampling1d", size=3), 2, [(0, 1), (0, 1), (0, 1), (1, 2), (1, 2), (1, 2)]),
        (layer("up_sampling1d", interpolation="linear"), 2, [(0, 1), (0, 2), (0, 2), (1, 2)]),
        (
            layer("up_sampling1d", size=3, interpolation="linear"), 2,
            [(0, 1), (0, 1), (0, 2), (0, 2), (1, 2), (1, 2)],
        ),
    ],
)  # fmt: skip
def test_reach(made: LayerModel, given: int, places: Any) -> None:
    found = made.reach([(given, 1)])
    assert found is not None
    (along,) = found
    assert [along.places(o, given) for o in range(made.output_shape([(given, 1)])[0])] == places


def test_reach_of_other_layers() -> None:
    grid = [(4, 4, 3)]
    for made in (layer("relu"), layer("softmax"), layer("dropout"), layer("flatten")):
        assert made.reach(grid) == ()
    assert layer("concat").reach([*grid, *grid]) == ()
    for made in (layer("concat", axis=0), layer("add")):
        assert made.reach([*grid, *grid]) == (None if made.type == "concat" else ())
    assert layer("global_avg_pool").reach(grid) is None
    assert layer("dense", units=3).reach([(3,)]) is None
    assert layer("softmax").reach([(3,)]) is None


LARGE = "take kernel_size = 8 or less"
TWO = [  # a layer, its input, what is said, what is advised
    (conv(kernel_size=11), (8, 8, 1), "its kernel_size is 11x11, given 8x8x1", LARGE),
    (conv(kernel_size=[9, 3], padding=[0, 2]), (8, 8, 3), "is 9x3, given 8x8x3, padded 8x12",
     "take kernel_size = [8, 3] or less"),
    (conv(kernel_size=5, dilation=2), (8, 8, 1), "dilated, spans 9x9, given 8x8x1",
     "take kernel_size = 4 or less"),
    (layer("max_pool2d"), (1, 1, 3), "its pool_size is 2x2, given 1x1x3", "pool_size = 1 or less"),
    (conv(kernel_size=1, stride=9), (8, 8, 1), "its stride is 9x9, given 8x8x1",
     "take stride = 8 or less"),
    (layer("avg_pool1d", stride=20), (8, 1), "loses all but its first window", "stride = 8"),
    (conv(filters=6, groups=3), (8, 8, 4), "3 groups divide, given 4 (8x8x4)",
     "take groups = 1 or 2, or"),
    (layer("max_pool2d", padding=2), (8, 8, 1), "window of 2x2, given 8x8x1 padded by 2x2",
     "take padding = 1 or less"),
    (layer("min_pool1d", padding=[0, 3]), (8, 1), "window of 2, given 8x1 padded by 3",
     "take padding = 1 or less"),
    (layer("avg_pool2d", pool_size=[3, 1], padding=[[0, 0], [0, 1]]), (8, 8, 1),
     "padded by 0x1", "take padding = [2, 0] or less"),
    (conv(padding=8, padding_mode="reflect"), (8, 8, 1), "padding of 8x8, given 8x8x1",
     'padding_mode = "edge"'),
    (conv(1), (8, 8, 1), "conv1d expects 2 axes (L, C), given 8x8x1", 'use "conv2d"'),
    (conv(3), (8, 8, 1), "conv3d expects 4 axes (D, H, W, C), given 8x8x1", "shape = [8, 8, 1, 1]"),
    (conv(), (64,), "conv2d expects 3 axes (H, W, C), given 64", "shape = [H, W, C]"),
    (conv(1), (64,), "conv1d expects 2 axes (L, C), given 64", "shape = [64, 1]"),
    (layer("min_pool3d"), (8, 8, 1), "min_pool3d expects 4 axes", 'use "min_pool2d"'),
    (layer("up_sampling2d"), (8, 8), "up_sampling2d expects 3 axes", 'use "up_sampling1d"'),
    (layer("global_avg_pool"), (8,), "global_avg_pool expects 2 or 3 or 4 axes, given 8",
     "before flatten"),
    (layer("adaptive_avg_pool", output_size=[2]), (8, 8, 1), "given [2] for 8x8x1",
     "write 2 numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "given", "words", "advice"), TWO)
def test_shapes_that_do_not_fit(made: LayerModel, given: Any, words: str, advice: str) -> None:
    with pytest.raises(ShapeError) as caught:
        made.output_shape([given])
    assert words in caught.value.message
    assert advice in caught.value.hint


@pytest.mark.parametrize(
    ("made", "given"),
    [
        (conv(kernel_size=8, stride=9), (8, 8, 1)),  # all of it is in the first window
        (conv(padding=5), (4, 4, 1)),  # a window of zeros is a window
        (layer("max_pool2d", pool_size=4, stride=3, padding="full"), (2, 2, 1)),
        (conv(kernel_size=9, padding="same"), (2, 2, 1)),
    ],
)
def test_what_may_look_wrong_and_is_not(made: LayerModel, given: Any) -> None:
    assert min(made.output_shape([given])) >= 1
