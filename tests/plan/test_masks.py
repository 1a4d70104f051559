"""Convolutions and pools on sequences of several lengths: each is as one of its own length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver
from tests.graph.networks import hints, problems
from tests.plan.nets import MSE, net, plan_of

STEPS, COUNT, CHANNELS = 11, 8, 3
LENGTHS = np.array([11, 5, 7, 11, 6, 9, 5, 8])
ROWS = np.arange(COUNT)
Array = np.ndarray[Any, Any]

# each layer between others that leave something behind the end, and a loss on what they make of it
STACKS = {
    "valid": "conv1d filters=4 kernel_size=3",
    "same": 'conv1d filters=4 kernel_size=4 padding="same"',
    "full": 'conv1d filters=4 kernel_size=3 padding="full" dilation=2',
    "causal": 'conv1d filters=4 kernel_size=2 padding="causal" stride=2 dilation=2',
    "ends": "conv1d filters=4 kernel_size=4 padding=[1,2] stride=3 groups=2",
    "edge": 'conv1d filters=4 kernel_size=3 padding=[1,2] padding_mode="edge"',
    "wide": "conv1d filters=17 kernel_size=5 stride=2 padding=2",
    "depthwise": 'depthwise_conv1d kernel_size=3 padding="same"',
    "separable": 'separable_conv1d filters=5 kernel_size=3 padding="same"',
    "transpose": "conv1d_transpose filters=4 kernel_size=4 stride=2 padding=[1,0]",
    "transpose more": "conv1d_transpose filters=4 kernel_size=2 stride=3 output_padding=2",
    "max": "max_pool1d pool_size=2",
    "max padded": "max_pool1d pool_size=3 stride=2 padding=[0,2]",
    "min same": 'min_pool1d pool_size=3 stride=1 padding="same"',
    "avg": 'avg_pool1d pool_size=3 stride=1 padding="causal"',
    "avg padded": "avg_pool1d pool_size=3 padding=[1,1] count_padding=true",
    "nearest": "up_sampling1d size=3",
    "linear": 'up_sampling1d size=3 interpolation="linear"',
}
WHOLE = ("global_max_pool", "global_min_pool", "global_avg_pool")


def _net(layer: str, steps: int, whole: str = "mean_steps") -> Any:
    """The layer behind biases and an activation, before others that must not see its padding."""
    layers = (
        'conv1d filters=6 kernel_size=2 padding="causal" activation="sigmoid" '
        'bias_init={type="constant",value=1}\n'
        f"{layer}\nlayer_norm\n"
        'conv1d filters=3 kernel_size=3 padding="same" activation="tanh"\n'
        f"{whole}\ndense units=2"
    )
    lengths = ("",) if steps == STEPS else ()
    info = DataInfo({"": (steps, CHANNELS)}, {"": TargetInfo("number", 2)}, COUNT, lengths=lengths)
    return net(layers, info)[0]


def _data(padding: float = 3.0) -> tuple[Array, Array]:
    stream = np.random.default_rng(0)
    x, y = stream.normal(size=(COUNT, STEPS, CHANNELS)), stream.normal(size=(COUNT, 2))
    over = np.arange(STEPS) >= LENGTHS[:, None]
    x[over] = padding * np.random.default_rng(9).normal(size=(int(over.sum()), CHANNELS))
    return x, y


def _together(graph: Any, padding: float = 3.0, **options: Any) -> Any:
    plan = plan_of(graph, **options)
    x, y = _data(padding)
    plan.attach("train", {"": x}, {"": y}, {"": LENGTHS})
    return plan


@pytest.mark.parametrize("layer", STACKS.values(), ids=STACKS)
def test_a_padded_sample_is_as_one_of_its_own_length(layer: str) -> None:
    _compare(layer, "mean_steps")


@pytest.mark.parametrize("whole", WHOLE)
def test_pools_of_the_whole_sequence(whole: str) -> None:
    _compare("max_pool1d pool_size=2", whole)


def _compare(layer: str, whole: str) -> None:
    plan = _together(_net(layer, STEPS, whole))
    x, y = _data()
    (found,) = plan.evaluate("train").outputs.values()
    _, gradients = plan.gradients("train", ROWS)
    total: dict[str, Array] = {}
    for length in sorted(set(LENGTHS)):
        rows = np.flatnonzero(length == LENGTHS)
        alone = plan_of(_net(layer, int(length), whole))
        alone.attach("train", {"": x[rows, :length]}, {"": y[rows]}, {"": LENGTHS[rows]})
        (wanted,) = alone.evaluate("train").outputs.values()
        np.testing.assert_allclose(found[rows], wanted, rtol=1e-12, atol=1e-13)
        _, own = alone.gradients("train", np.arange(len(rows)))
        for name, gradient in own.items():
            total[name] = total.get(name, 0) + gradient * len(rows) / COUNT
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, total[name], rtol=1e-10, atol=1e-13, err_msg=name)


def test_what_the_padding_holds_changes_no_bit_at_any_number_of_threads() -> None:
    graph = _net("max_pool1d pool_size=3 stride=2 padding=[0,2]", STEPS)
    found = []
    for padding, threads in ((0.0, 1), (100.0, 1), (0.0, 3)):
        plan = _together(graph, padding, threads=threads)
        with driver.always_threaded():
            loss, gradients = plan.gradients("train", ROWS)
        (outputs,) = plan.evaluate("train").outputs.values()
        found.append({**gradients, "loss": np.array(loss), "outputs": outputs})
    for other in found[1:]:
        assert all(np.array_equal(found[0][name], other[name]) for name in other)


def test_a_target_for_each_step_behind_a_stride() -> None:
    """Outputs have fewer steps than inputs: those that count are of each length by itself."""
    layers = 'conv1d filters=4 kernel_size=3 stride=2 activation="tanh"\ndense units=2'
    wanted = {"": TargetInfo("class", 2, steps=5)}
    graph, _ = net(layers, DataInfo({"": (STEPS, CHANNELS)}, wanted, COUNT, lengths=("",)),
                   '[loss]\ntype="cross_entropy"\n')  # fmt: skip
    lengths = graph.node("dense_1").lengths
    assert lengths is not None and lengths.of(LENGTHS).tolist() == [5, 2, 3, 5, 2, 4, 2, 3]
    y = np.random.default_rng(2).integers(0, 2, (COUNT, 5))
    y[np.arange(5) >= lengths.of(LENGTHS)[:, None]] = -1
    results = []
    for padding in (0.0, 10.0):
        plan, x = plan_of(graph), _data(padding)[0]
        plan.attach("train", {"": x}, {"": y}, {"": LENGTHS})
        results.append(plan.gradients("train", ROWS))
    assert results[0][0] == results[1][0]
    for name, gradient in results[0][1].items():
        assert np.array_equal(gradient, results[1][1][name]), name


def test_sequences_shorter_than_what_a_window_needs_are_refused() -> None:
    plan = plan_of(_net("avg_pool1d pool_size=5", STEPS))
    x, y = _data()
    with pytest.raises(ValueError, match="lengths from 4 to 11"):
        plan.attach("train", {"": x}, {"": y}, {"": LENGTHS - np.arange(COUNT) // 6})


REFUSED = {
    'conv1d filters=2 kernel_size=3 stride=2 padding="same"': 'padding = "causal" or "valid"',
    'conv1d filters=2 kernel_size=3 padding=1 padding_mode="reflect"': 'padding_mode = "zeros"',
    'avg_pool1d pool_size=3 stride=1 padding="same"': "count_padding = true",
    "max_pool1d pool_size=2 stride=4 padding=[0,2]": "padding = [0, 1] or less",
    "adaptive_avg_pool output_size=2": "use global_avg_pool",
    "batch_norm": "use layer_norm",
    "group_norm groups=1": "use layer_norm",
    "flatten": 'returns = "last"',
}


@pytest.mark.parametrize("layer", REFUSED)
def test_what_depends_on_the_padding_is_refused_with_what_to_do(layer: str) -> None:
    info = DataInfo({"": (9, 2)}, {"": TargetInfo("number", 2)}, COUNT, lengths=("",))
    rest = "" if layer == "flatten" else "\nglobal_max_pool"
    layers = f"{layer}{rest}\ndense units=2"
    assert len(problems(layers, info=info, rest=MSE)) == 1
    (hint,) = hints(layers, info=info, rest=MSE)
    assert REFUSED[layer] in hint, hint
    free = DataInfo({"": (9, 2)}, {"": TargetInfo("number", 2)}, COUNT)
    assert not problems(layers, info=free, rest=MSE)
