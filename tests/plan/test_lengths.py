"""Sequences of several lengths in one batch: padding changes nothing."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver
from tests.graph.networks import problems
from tests.plan.nets import net, plan_of, random_parameters
from tests.reference import recurrent

STEPS, COUNT, UNITS = 6, 20, 3
LENGTHS = np.array([6, 1, 3, 6, 2, 5, 4, 1, 6, 2, 3, 3, 5, 6, 1, 4, 2, 6, 5, 3])
INFO = DataInfo({"": (STEPS, 2)}, {"": TargetInfo("number", UNITS)}, COUNT, lengths=("",))
CELLS = ("rnn", "lstm", "gru")


def _data(seed=0, padding=0.0):  # type: ignore[no-untyped-def]
    stream = np.random.default_rng(seed)
    x, y = stream.normal(size=(COUNT, STEPS, 2)), stream.normal(size=(COUNT, UNITS))
    over = np.arange(STEPS) >= LENGTHS[:, None]
    x[over] = padding * np.random.default_rng(9).normal(size=(int(over.sum()), 2))
    return x, y


def _plan(layers, padding=0.0, **options):  # type: ignore[no-untyped-def]
    graph, _ = net(layers, INFO)
    plan = plan_of(graph, **options)
    x, y = _data(padding=padding)
    plan.attach("train", {"": x}, {"": y}, {"": LENGTHS})
    return plan, graph, x, y


def _stack(cell, backward="false"):  # type: ignore[no-untyped-def]
    first = f"{cell} units=4 backward={backward}\ndropout rate=0.0\n"
    return first + f'{cell} units={UNITS} returns="last" backward={backward}'


@pytest.mark.parametrize("backward", ["false", "true"])
@pytest.mark.parametrize("cell", CELLS)
def test_a_padded_sample_is_as_one_of_its_own_length(cell: str, backward: str) -> None:
    plan, graph, x, _ = _plan(_stack(cell, backward))
    outputs = plan.evaluate("train").outputs
    (found,) = outputs.values()
    for row in range(COUNT):
        info = DataInfo({"": (int(LENGTHS[row]), 2)}, INFO.targets, COUNT)
        alone, _ = net(_stack(cell, backward), info)
        other = plan_of(alone)
        other.attach("train", {"": x[row : row + 1, : LENGTHS[row]]}, {"": np.zeros((1, UNITS))})
        (wanted,) = other.evaluate("train").outputs.values()
        assert np.array_equal(found[row], wanted[0]), row


@pytest.mark.parametrize("cell", CELLS)
def test_what_the_padding_holds_changes_no_bit(cell: str) -> None:
    one, *_ = _plan(_stack(cell))
    other, *_ = _plan(_stack(cell), padding=100.0)
    rows = np.arange(8)
    loss, found = one.gradients("train", rows)
    other_loss, others = other.gradients("train", rows)
    assert loss == other_loss
    for name, gradient in found.items():
        assert np.array_equal(gradient, others[name]), name


@pytest.mark.parametrize("backward", ["false", "true"])
@pytest.mark.parametrize("cell", CELLS)
def test_steps_that_no_sample_of_a_task_has_are_not_taken(cell: str, backward: str) -> None:
    """And nothing is read of what lay in memory where they would be: not even by a sum."""
    first = f"dense units=3\n{cell} units=4 backward={backward} recurrent_dropout=0.3"
    layers = f"{first}\n{_stack(cell, backward)}"
    plan, *_ = _plan(layers)
    rows = np.argsort(LENGTHS, kind="stable")[:8]
    loss, found = plan.gradients("train", rows)
    for fill in (0xFF, 0x00):
        plan.tapes.probe().room.bytes[:] = fill
        other_loss, others = plan.gradients("train", rows)
        assert loss == other_loss and np.isfinite(loss)
        assert all(np.array_equal(found[name], others[name]) for name in found), hex(fill)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_the_loop(cell: str, backward: bool) -> None:
    layers = f'{cell} units={UNITS} returns="last" backward={str(backward).lower()} name="r"'
    plan, graph, x, y = _plan(layers)
    rows = np.arange(8)
    loss, found = plan.gradients("train", rows)
    start = {k.removeprefix("param/r."): a for k, a in random_parameters(graph).items()}

    def value(params):  # type: ignore[no-untyped-def]
        more = {"nonlinearity": "tanh"} if cell == "rnn" else {}
        state = recurrent.CELLS[cell](
            x[rows], **params, **more, returns="last", backward=backward, lengths=LENGTHS[rows]
        )
        return float(((state - y[rows]) ** 2).mean())

    assert loss == pytest.approx(value(start), rel=1e-12)
    for name, a in start.items():
        way = np.random.default_rng(1).normal(size=a.shape)
        h = 1e-4
        ends = [value({**start, name: a + k * h * way}) for k in (1, -1, 2, -2)]
        slope = (8 * (ends[0] - ends[1]) - (ends[2] - ends[3])) / (12 * h)
        assert (found[f"r.{name}"] * way).sum() == pytest.approx(slope, rel=1e-8), name


def test_same_bits_at_any_number_of_threads() -> None:
    results = []
    for threads in (1, 2, 3):
        plan, *_ = _plan(_stack("gru"), threads=threads, batch=17)
        with driver.always_threaded():
            results.append(plan.gradients("train", np.arange(17))[1])
    for other in results[1:]:
        assert all(np.array_equal(results[0][name], other[name]) for name in other)


def test_layers_that_would_read_padding_are_refused() -> None:
    (said,) = problems("flatten\ndense units=3", info=INFO, rest='[loss]\ntype="mse"\n')
    assert '"flatten_1" (flatten) would read the padding of the shorter sequences' in said
    assert problems(_stack("gru"), info=INFO, rest='[loss]\ntype="mse"\n') == []
