"""What evaluation makes of parameters alone is made again when they have changed, and only then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nnctl.graph.stepping import one_step
from nnctl.plan import Plan, settled
from nnctl.plan.stepper import Stepper
from nnctl.plan.tape import Tape
from nnctl.plan.timing import Timer
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph import networks
from tests.plan.nets import ADAM, data_of, net, plan_of

CLASS = {"": TargetInfo("class", 3)}
IMAGES = DataInfo({"": (8, 8, 16)}, CLASS, 100)
TOKENS = DataInfo({"": (5,)}, CLASS, 100, vocabularies={"": 7})
CONV = "conv2d filters={} kernel_size=3"
NETS = {
    "by tiles": (CONV.format(16) + "\nflatten\ndense units=3", IMAGES),
    "packed": (CONV.format(3) + "\nflatten\ndense units=3", IMAGES),
    "folded": (CONV.format(16) + "\nbatch_norm\nrelu\nflatten\ndense units=3", IMAGES),
    "looked up": ('embedding units=4\nlstm units=5 returns="last"\ndense units=3', TOKENS),
    "trained start": (
        'embedding units=4\ngru units=5 initial_state="learned" returns="last"\ndense units=3',
        TOKENS,
    ),
}
ROWS = np.arange(20)


def made(name: str, **options: Any) -> Plan:
    layers, info = NETS[name]
    graph, optimizer = net(layers, info, networks.LOSS + ADAM)
    plan = plan_of(graph, optimizer, **options)
    plan.attach("train", *data_of(info))
    return plan


def outputs(plan: Plan, rows: np.ndarray = ROWS) -> dict[str, np.ndarray]:
    return plan.evaluate("train", rows).outputs


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(a[name], b[name]) for name in a)


def watched(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> list[Tape]:
    """The tapes that the plan runs from now on."""
    runs: list[Tape] = []
    once = plan.runner._go

    def count(ran: Tape, *more: Any) -> None:
        runs.append(ran)
        once(ran, *more)

    monkeypatch.setattr(plan.runner, "_go", count)
    return runs


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1]], ids=["many", "one"])
@pytest.mark.parametrize("name", NETS)
def test_it_follows_the_parameters(name: str, rows: np.ndarray) -> None:
    plan, fresh = made(name), made(name)
    first, start = outputs(plan, rows), plan.tensors()
    assert same(outputs(plan, rows), first)
    plan.train(np.tile(ROWS, 2), 0, 0, np.full(2, 0.1))
    later = outputs(plan, rows)
    fresh.restore(plan.tensors())
    assert same(outputs(fresh, rows), later) and not same(first, later)
    plan.restore(start)
    assert same(outputs(plan, rows), first)
    plan.locate_nonfinite(ROWS, 0, 0, 0.1)
    assert same(outputs(plan, rows), first)


@pytest.mark.parametrize("name", NETS)
def test_it_is_made_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = made(name)
    tape, runs = plan.tapes.evaluation(losses=True), watched(plan, monkeypatch)
    assert tape.first is not None
    for _ in range(3):
        outputs(plan)
    plan.gradients("train", ROWS[:8])
    outputs(plan)
    assert runs.count(tape.first) == 1
    plan.train(ROWS, 0, 0, np.full(1, 0.1))
    outputs(plan)
    assert runs.count(tape.first) == 2


@pytest.mark.parametrize("name", NETS)
def test_it_may_be_too_large_to_be_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = outputs(made(name))
    monkeypatch.setattr(settled, "MOST", 0)
    plan = made(name)
    assert same(outputs(plan), expected)
    assert plan.tapes.evaluation(losses=True).first is None


def test_steps_of_one_network_make_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Carried states move with every step; what is made of parameters alone does not."""
    layers, info = "embedding units=4\nlstm units=5\ndense units=3", TOKENS
    steps = DataInfo(
        info.inputs, {"": TargetInfo("class", 3, steps=5)}, 9, vocabularies=info.vocabularies
    )
    graph, _ = net(layers, steps, networks.LOSS)
    plan = plan_of(graph)
    stepper = Stepper(one_step(graph, "", ["dense_1"], 2), plan, 2)
    runs = watched(stepper.plan, monkeypatch)
    stepper.begin(np.array([[1], [2]]), {}, {}, {})
    given = [stepper.step()["dense_1"].copy() for _ in range(4)]
    assert not np.array_equal(given[0], given[1])
    firsts = [tape.first for tape in runs if tape.first is not None]
    assert len(firsts) == 4 and runs.count(firsts[0]) == 1
    plan.restore({n: 2 * values for n, values in plan.tensors().items()})
    stepper.take(plan)
    stepper.step()
    assert runs.count(firsts[0]) == 2


@pytest.mark.parametrize("way", [Timer.alone, Timer.whole])
def test_steps_that_are_timed_move_running_statistics(way: Callable[[Timer, int], float]) -> None:
    plan, fresh = made("folded"), made("folded")
    first = outputs(plan)
    way(Timer(plan, np.tile(ROWS, 3)), 2)
    later = outputs(plan)
    fresh.restore(plan.tensors())
    assert same(outputs(fresh), later) and not same(first, later)
