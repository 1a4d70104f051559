"""Numbers that are not finite: the step is named, the state is as it was before it, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.plan import Plan
from tests.checks import driver
from tests.plan.nets import ADAM, MSE, NETS, data_of, named, net, numbers, plan_of, same

SGD = '[optimizer]\ntype = "sgd"\nmomentum = 0.5\n'
AHEAD = '[optimizer]\ntype = "sgd"\nmomentum = 0.5\nnesterov = true\n'
ORDER = np.arange(20)
RATE = 1e-2


def made(rest: str = ADAM, name: str = "mlp", **options: Any) -> Plan:
    graph, optimizer, info = named(name, rest)
    plan = plan_of(graph, optimizer, **options)
    plan.attach("train", *data_of(info))
    return plan


def spoiled(plan: Plan, row: int, value: float) -> dict[str, np.ndarray]:
    inputs = {n: a.copy() for n, a in plan.splits["train"].inputs.items()}
    next(iter(inputs.values()))[row, 0] = value
    return inputs


@pytest.mark.parametrize("rest", [ADAM, SGD, AHEAD], ids=["adam", "sgd", "nesterov"])
@pytest.mark.parametrize("bad", [0, 1, 2])
@pytest.mark.parametrize("threads", [1, 3])
def test_state_goes_back_to_before_the_step(rest: str, bad: int, threads: int) -> None:
    """A rate that is not finite spoils one step of a call; all before it stand."""
    plan, other = made(rest, threads=threads), made(rest, threads=threads)
    rates = np.full(3, RATE)
    rates[bad] = np.inf
    with driver.always_threaded():
        log = plan.train(ORDER, 0, 0, rates)
    assert (log.done, log.nonfinite) == (bad, True)
    assert len(log.losses) == bad
    if bad:
        good = other.train(ORDER, 0, 0, rates[:bad])
        assert good.losses.tobytes() == log.losses.tobytes()
    assert same(plan.tensors(), other.tensors())
    # and it goes on as if nothing had been
    for one in (plan, other):
        assert not one.train(ORDER, 8 * bad, bad, np.full(3 - bad, RATE)).nonfinite
        one.close()
    assert same(plan.tensors(), other.tensors())


def test_going_back_over_many_calls() -> None:
    """The copy that is gone back to may be many calls old."""
    plan, other = made(), made()
    for step in range(40):
        start = step % 3 * 8
        for one in (plan, other):
            assert one.train(ORDER, start, step, np.array([RATE])).done == 1
        if step % 7 == 3:
            assert plan.train(ORDER, 0, step + 1, np.array([np.nan])).nonfinite
            assert same(plan.tensors(), other.tensors()), f"after step {step}"


def test_evaluation_and_restoring_between_calls() -> None:
    plan, other = made(), made()
    plan.train(ORDER, 0, 0, np.full(3, RATE))
    plan.evaluate("train")
    plan.gradients("train", np.arange(5))
    other.train(ORDER, 0, 0, np.full(3, RATE))
    saved = {n: a.copy() for n, a in plan.tensors().items()}
    assert same(saved, other.tensors())
    plan.train(ORDER, 0, 3, np.full(2, RATE))
    plan.restore(saved)
    assert plan.train(ORDER, 0, 3, np.array([RATE, np.inf])).done == 1
    other.train(ORDER, 0, 3, np.array([RATE]))
    assert same(plan.tensors(), other.tensors())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_spoiled_sample_fails_its_batch(value: float) -> None:
    plan = made()
    targets = {"": np.arange(20) % 3}
    plan.attach("train", spoiled(plan, 11, value), targets)
    log = plan.train(ORDER, 0, 0, np.full(3, RATE))
    assert (log.done, log.nonfinite) == (1, True)
    assert plan.locate_nonfinite(ORDER, 8, 1, RATE) == "input.y"


@pytest.mark.parametrize("rest", [ADAM, SGD, AHEAD], ids=["adam", "sgd", "nesterov"])
class TestLocate:
    """The first array that is not finite is named, and looking for it changes nothing."""

    def find(self, plan: Plan, rate: float = RATE) -> str:
        log = plan.train(ORDER, 0, 0, np.full(2, rate))
        assert log.nonfinite
        before = {n: a.copy() for n, a in plan.tensors().items()}
        name = plan.locate_nonfinite(ORDER, 0, 0, rate)
        assert same(plan.tensors(), before)
        assert name == plan.locate_nonfinite(ORDER, 0, 0, rate)
        return name

    def test_input(self, rest: str) -> None:
        plan = made(rest)
        plan.attach("train", spoiled(plan, 2, np.nan), {"": np.arange(20) % 3})
        assert self.find(plan) == "input.y"

    def test_output_of_the_layer_whose_parameter_is_not_finite(self, rest: str) -> None:
        plan = made(rest, "deep")
        tensors = plan.tensors()
        tensors["param/dense_3.b"][4] = np.inf
        plan.restore(tensors)
        assert self.find(plan) in ("dense_3.y", "dense_3.b", "start")

    def test_target(self, rest: str) -> None:
        plan = made(rest, "deep")
        inputs, targets = data_of(NETS["deep"][1])
        targets[""][3, 1] = np.nan
        plan.attach("train", inputs, targets)
        assert self.find(plan).startswith("target.")

    def test_loss_that_overflows(self, rest: str) -> None:
        plan = made(rest, "deep")
        inputs, targets = data_of(NETS["deep"][1])
        targets[""][3, 1] = 1e200
        plan.attach("train", inputs, targets)
        assert self.find(plan) == "losses"

    def test_update_that_overflows(self, rest: str) -> None:
        plan = made(rest)
        assert self.find(plan, np.inf) in plan.graph.parameters

    def test_gradient_that_overflows(self, rest: str) -> None:
        """A large slope, times a large weight: the signal comes back too large."""
        layers = 'dense units=1 name="a"\ndense units=1 name="b"\ndense units=1 name="c"'
        graph, optimizer = net(layers, NETS["itself twice"][1], '[loss]\ntype = "mae"\n' + rest)
        plan = plan_of(graph, optimizer, dtype="float32")
        tensors = {n: np.zeros_like(a) for n, a in plan.tensors().items()}
        tensors["param/b.w"][:], tensors["param/c.w"][:] = 1e30, 1e30
        tensors["param/c.b"][:] = 1.0
        plan.restore(tensors)
        plan.attach("train", {"": np.full((20, 4), 0.5)}, {"": np.zeros((20, 1))})
        # c's signal comes back as 1e30 / 8, b's as 1e60 / 8, which float32 does not hold
        assert self.find(plan) == "a.dy"


def test_nothing_is_not_finite_in_a_good_step() -> None:
    plan = made()
    plan.train(ORDER, 0, 0, np.full(1, RATE))
    assert plan.locate_nonfinite(ORDER, 0, 0, RATE) == "the loss"


def test_a_slot_that_overflows() -> None:
    """Adam's second moment would be Inf from then on, and its parameter never move again."""
    graph, optimizer = net('dense units=1 name="z"', numbers(), MSE + ADAM)
    plan = plan_of(graph, optimizer, dtype="float32")
    inputs, targets = data_of(numbers())
    plan.attach("train", {"": inputs[""] * 1e12}, {"": targets[""] * 1e12})
    before = plan.tensors()
    log = plan.train(ORDER, 0, 0, np.full(1, RATE))
    assert (log.done, log.nonfinite) == (0, True)
    assert same(plan.tensors(), before)
    assert plan.locate_nonfinite(ORDER, 0, 0, RATE) == "slot/adam.v/z.w"


def test_tensors_are_named_before_the_zone_that_holds_them() -> None:
    graph, optimizer = net('dense units=1 name="z"', numbers(), MSE + SGD)
    plan = plan_of(graph, optimizer)
    plan.attach("train", *data_of(numbers()))
    assert plan.locate_nonfinite(ORDER, 0, 0, np.inf) == "z.b"


def test_steps_on_other_data_are_not_run_again() -> None:
    """New training data begin a new history: what went before was run on the old."""
    plan = made()
    plan.train(ORDER, 0, 0, np.full(2, RATE))
    before = plan.tensors()
    targets = {"": np.zeros(20, dtype=np.int64)}
    plan.attach("train", spoiled(plan, 0, np.nan), targets)
    log = plan.train(ORDER, 0, 2, np.full(1, RATE))
    assert (log.done, log.nonfinite) == (0, True)
    assert same(plan.tensors(), before)
