"""Arrays that layers keep: moved by steps that train and by nothing else, and part of the state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.errors import CheckpointError
from nnctl.plan import Plan
from tests.checks import driver
from tests.graph import networks
from tests.plan.nets import ADAM, classes, data_of, net, plan_of, random_parameters, same
from tests.reference import norm

ORDER = np.arange(20)  # two batches of 8 and one of 4
RATES = np.full(3, 1e-2)
LAYERS = 'batch_norm name="n" running_decay=0.8\ndense units=6\nbatch_norm\ntanh\ndense units=3'


def made(layers: str = LAYERS, **options: Any) -> Plan:
    graph, optimizer = net(layers, classes(), networks.LOSS + ADAM)
    plan = plan_of(graph, optimizer, **options)
    plan.attach("train", *data_of(classes()))
    return plan


def kept(plan: Plan) -> dict[str, np.ndarray]:
    return {n: a for n, a in plan.tensors().items() if n.startswith("state/")}


def test_running_statistics_follow_the_batches() -> None:
    plan = made()
    x = plan.splits["train"].inputs[""].astype(np.float64)
    mean, var = np.zeros(4), np.ones(4)
    assert np.array_equal(kept(plan)["state/n.running_mean"], mean)
    assert np.array_equal(kept(plan)["state/n.running_var"], var)
    plan.train(ORDER, 0, 0, RATES)
    for rows in (slice(0, 8), slice(8, 16), slice(16, 20)):
        mean = 0.8 * mean + 0.2 * x[rows].mean(axis=0)
        var = 0.8 * var + 0.2 * x[rows].var(axis=0)
    np.testing.assert_allclose(kept(plan)["state/n.running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(kept(plan)["state/n.running_var"], var, rtol=1e-12)
    names = [f"state/{n}.running_{what}" for n in ("n", "batch_norm_2") for what in ("mean", "var")]
    assert list(kept(plan)) == names


def test_nothing_else_moves_them() -> None:
    plan = made()
    plan.train(ORDER, 0, 0, RATES)
    before = plan.tensors()
    plan.evaluate("train")
    plan.loss("train", ORDER[:8])
    plan.gradients("train", ORDER[:8])
    plan.features("train", ORDER, "n")
    plan.locate_nonfinite(ORDER, 0, 3, 1e-2)
    assert same(plan.tensors(), before)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_evaluation_reads_them(dtype: str) -> None:
    plan = made(dtype=dtype)
    plan.train(ORDER, 0, 0, RATES)
    x, held, trained = plan.splits["train"].inputs[""], kept(plan), plan.parameters()
    wanted = norm.batch_norm(
        x, trained["n.gamma"], trained["n.beta"], 1e-5,
        (held["state/n.running_mean"], held["state/n.running_var"]),
    )  # fmt: skip
    found = plan.features("train", ORDER, "n")
    np.testing.assert_allclose(found, wanted, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)
    alone = plan.features("train", ORDER[3:4], "n")
    assert alone.tobytes() == found[3:4].tobytes(), "a sample does not depend on the others"


@pytest.mark.parametrize("bad", [0, 1, 2])
@pytest.mark.parametrize("threads", [1, 3])
def test_they_go_back_with_the_parameters(bad: int, threads: int) -> None:
    plan, other = made(threads=threads), made(threads=threads)
    rates = RATES.copy()
    rates[bad] = np.inf
    with driver.always_threaded():
        log = plan.train(ORDER, 0, 0, rates)
    assert (log.done, log.nonfinite) == (bad, True)
    if bad:
        other.train(ORDER, 0, 0, rates[:bad])
    assert same(plan.tensors(), other.tensors())
    for one in (plan, other):
        one.close()


def test_statistics_that_overflow_end_the_run_and_are_named() -> None:
    """Outputs stay finite where the variance is beyond single precision: evaluation would not."""
    plan = made(dtype="float32")
    inputs = {"": plan.splits["train"].inputs[""].copy()}
    inputs[""][9, 2] = 3e25
    plan.attach("train", inputs, data_of(classes())[1])
    log = plan.train(ORDER, 0, 0, RATES)
    assert (log.done, log.nonfinite) == (1, True)
    assert np.isfinite(kept(plan)["state/n.running_var"]).all()
    assert plan.locate_nonfinite(ORDER, 8, 1, 1e-2) == "state/n.running_var"


@pytest.mark.parametrize("stop", [1, 2])
def test_interrupted_and_resumed(stop: int) -> None:
    whole, first, second = made(), made(), made()
    whole.train(ORDER, 0, 0, RATES)
    first.train(ORDER, 0, 0, RATES[:stop])
    second.restore(first.tensors())
    second.train(ORDER, 8 * stop, stop, RATES[stop:])
    assert same(whole.tensors(), second.tensors())


def test_restored_without_them_they_are_as_before_the_first_step() -> None:
    plan, fresh = made(), made()
    plan.train(ORDER, 0, 0, RATES)
    plan.restore(random_parameters(plan.graph))
    assert same(kept(plan), kept(fresh))


def test_a_part_of_them_is_refused() -> None:
    plan = made()
    tensors = plan.tensors()
    del tensors["state/n.running_var"]
    tensors["state/n.running_mean"] = np.zeros(5)
    with pytest.raises(CheckpointError) as caught:
        plan.restore(tensors)
    assert 'tensor "state/n.running_var" is missing' in str(caught.value)
    assert "has shape (5,), the network needs (4,)" in str(caught.value)


@pytest.mark.parametrize("layers", ["batch_norm\ndense units=3", "reshape shape=[4,1]\nbatch_norm"])
def test_a_batch_of_one_number_a_channel_is_refused(layers: str) -> None:
    """Four places of one sample are numbers enough, one is not."""
    plan = made(f"{layers}\nflatten\ndense units=3")
    if "reshape" in layers:
        assert plan.train(ORDER, 19, 0, RATES[:1]).done == 1
        return
    with pytest.raises(ValueError, match=r'batch_norm in "batch_norm_1" cannot learn from a batch'):
        plan.train(ORDER, 19, 0, RATES[:1])
    with pytest.raises(ValueError, match="a batch of 1 sample"):
        plan.loss("train", ORDER[:1])
    assert len(plan.evaluate("train", ORDER[:1]).losses) == 1
