"""Layers that keep the states of every k-th step alone and take the steps between again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.plan import Plan
from nnctl.plan.describe import describe
from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver
from tests.plan.nets import MSE, net, plan_of, same

STEPS, COUNT, BATCH, UNITS = 23, 24, 12, 3
LENGTHS = np.random.default_rng(5).integers(1, STEPS + 1, COUNT)
LENGTHS[:6] = 2  # of the tasks of a batch some have no step of the later segments
NUMBERS = DataInfo({"": (STEPS, 2)}, {"": TargetInfo("number", UNITS)}, COUNT, lengths=("",))
TOKENS = DataInfo(
    {"": (STEPS,)}, {"": TargetInfo("number", UNITS, steps=STEPS)}, COUNT,
    vocabularies={"": 5}, stride=STEPS,
)  # fmt: skip
REST = MSE + '[optimizer]\ntype = "sgd"\n[training]\nshuffle = false\n'
AGAIN = "gradient_checkpointing=true"


def data(info: DataInfo) -> tuple[Any, ...]:
    stream = np.random.default_rng(0)
    if info.vocabularies:
        x, y = stream.integers(0, 5, (COUNT, STEPS)), stream.normal(size=(COUNT, STEPS, UNITS))
        return {"": x}, {"": y}, None
    x, y = stream.normal(size=(COUNT, STEPS, 2)), stream.normal(size=(COUNT, UNITS))
    return {"": x}, {"": y}, {"": LENGTHS}


def made(layers: str, info: DataInfo, again: bool, **options: Any) -> Plan:
    graph, optimizer = net(layers.replace("?", AGAIN if again else ""), info, REST)
    plan = plan_of(graph, optimizer, batch=BATCH, **options)
    plan.attach("train", *data(info))
    return plan


@pytest.mark.parametrize(
    ("cell", "backward"), [("rnn", "true"), ("lstm", "false"), ("gru", "true"), ("gru", "false")]
)
def test_what_comes_back_to_the_input_has_the_same_bits(cell: str, backward: str) -> None:
    """Below lies a dense layer, whose gradient is of dx alone; what memory holds is not read."""
    first = f"dense units=4 name='d'\n{cell} units=5 name='a' backward={backward} ?"
    more = f"recurrent_dropout=0.3 name='b' returns='last' backward={backward} ?"
    one, other = (
        made(f"{first}\n{cell} units={UNITS} {more}", NUMBERS, again) for again in (False, True)
    )
    for rows in (np.arange(BATCH), np.arange(6)):
        for plan in (one, other):
            plan.tapes.probe().room.bytes[:] = 0xFF
            plan.memory.zone("g")[:] = np.nan
        loss, wanted = one.gradients("train", rows)
        other_loss, found = other.gradients("train", rows)
        assert loss == other_loss
        assert np.array_equal(found["d.w"], wanted["d.w"]) and np.ptp(found["d.w"]) > 0
        for name, gradient in wanted.items():
            np.testing.assert_allclose(found[name], gradient, rtol=1e-11, atol=1e-14, err_msg=name)
        summed = any(not np.array_equal(found[name], wanted[name]) for name in found)
        assert summed == (len(rows) == BATCH), "in segments, of which the few have one"


STACK = (
    "embedding units=4\nlstm units=6 stateful=true recurrent_dropout=0.2 ?\n"
    f"gru units={UNITS} stateful=true ?"
)


def trained(again: bool, **options: Any) -> dict[str, np.ndarray]:
    """After three steps of carried states, on tokens that are looked up, the second of a few."""
    plan = made(STACK, TOKENS, again, **options)
    order = np.arange(COUNT - 4)
    with driver.always_threaded():
        logs = [plan.train(order, start, k, np.full(1, 0.1)) for k, start in enumerate((0, 12, 0))]
    plan.close()
    return {**plan.tensors(), "losses": np.concatenate([log.losses for log in logs])}


def test_carried_states_and_tables() -> None:
    wanted, found = trained(False), trained(True)
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-10, atol=1e-13, err_msg=name)


def test_same_bits_at_any_number_of_threads() -> None:
    first = trained(True)
    assert all(same(trained(True, threads=threads), first) for threads in (2, 3))


def test_memory_grows_with_the_root_of_the_steps() -> None:
    def room(steps: int, again: bool) -> int:
        info = DataInfo({"": (steps, 1)}, {"": TargetInfo("number", 1)}, COUNT)
        graph, optimizer = net(
            f"lstm units=16 returns='last' {AGAIN if again else ''}\ndense units=1", info, REST
        )
        plan = plan_of(graph, optimizer, batch=BATCH)
        plan.attach("train", {"": np.zeros((COUNT, steps, 1))}, {"": np.zeros((COUNT, 1))})
        return describe(plan).activation_bytes

    assert room(400, False) > 3.5 * room(100, False)
    assert room(400, True) < 2.5 * room(100, True)
    assert room(400, True) < room(400, False) / 6
