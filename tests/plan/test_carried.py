"""States that go on from batch to batch: from zeros with an epoch, moved by steps that train alone,
and a stream of their own in evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.data.batches import streams
from nnctl.plan import Plan
from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver
from tests.plan.nets import MSE, net, plan_of, random_parameters, same
from tests.reference import recurrent

STEPS, WIDTH, UNITS, COUNT, BATCH = 4, 2, 3, 22, 8
INFO = DataInfo(
    {"": (STEPS, WIDTH)}, {"": TargetInfo("number", UNITS, steps=STEPS)}, COUNT, stride=STEPS
)
ORDER = streams(COUNT, BATCH)  # two batches of 8, and the third windows of six streams
REST = MSE + '[optimizer]\ntype = "sgd"\n[training]\nshuffle = false\n'
CELLS = ("rnn", "lstm", "gru")
STACK = "gru units=5 stateful=true\ndropout rate=0.2\nlstm units=3 stateful=true name='r'"


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    stream = np.random.default_rng(seed)
    shapes = (COUNT, STEPS, WIDTH), (COUNT, STEPS, UNITS)
    return stream.normal(size=shapes[0]), stream.normal(size=shapes[1])


def made(layers: str, **options: Any) -> Plan:
    graph, optimizer = net(layers, INFO, REST)
    plan = plan_of(graph, optimizer, batch=BATCH, **options)
    x, y = data()
    plan.attach("train", {"": x}, {"": y})
    return plan


def layer(cell: str, more: str = "") -> str:
    return f'{cell} units={UNITS} stateful=true name="r" {more}'


def kept(plan: Plan) -> dict[str, np.ndarray]:
    return {n: a for n, a in plan.tensors().items() if n.startswith("state/")}


def reference(cell: str, plan: Plan, x: np.ndarray, start: Any = None, **other: Any) -> np.ndarray:
    params = {n.removeprefix("r."): a for n, a in plan.parameters().items()} | other
    more = {"nonlinearity": "tanh"} if cell == "rnn" else {}
    return recurrent.CELLS[cell](x, **params, **more, returns="sequence", start=start)


def after(cell: str, plan: Plan, x: np.ndarray) -> np.ndarray:
    """The states h, and c of an lstm, after all steps of x, taken from longer and longer passes."""
    if cell != "lstm":
        return reference(cell, plan, x)[:, -1]
    params = {n.removeprefix("r."): a for n, a in plan.parameters().items()}
    h = c = np.zeros((len(x), UNITS))
    for t in range(x.shape[1]):
        a = np.split(x[:, t] @ params["w"] + h @ params["u"] + params["b"], 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-a[k])) for k in (0, 1, 3))
        c = f * c + i * np.tanh(a[2])
        h = o * np.tanh(c)
    return np.concatenate([h, c], axis=1)


def test_streams_use_every_row_once_and_go_on() -> None:
    for count, batch in ((22, 8), (24, 8), (9, 4), (7, 1), (31, 5)):
        order = streams(count, batch)
        assert sorted(order) == list(range(count))
        assert all(order[k + batch] == order[k] + 1 for k in range(count - batch))
        last = order[-(count % batch or batch) :]
        assert last[-1] + 1 in (*order[:batch], count)


@pytest.mark.parametrize("cell", CELLS)
def test_losses_are_those_of_one_long_pass(cell: str) -> None:
    plan, (x, y) = made(layer(cell)), data()
    log = plan.train(ORDER, 0, 0, np.zeros(3))
    batches = [ORDER[0:8], ORDER[8:16], ORDER[16:22]]
    for b, rows in enumerate(batches):
        long = np.concatenate([x[past[: len(rows)]] for past in batches[: b + 1]], axis=1)
        wanted = reference(cell, plan, long)[:, b * STEPS :]
        assert log.losses[b] == pytest.approx(((wanted - y[rows]) ** 2).mean(), rel=1e-12), b
    held = np.concatenate(list(kept(plan).values()), axis=1)
    two = np.concatenate([x[batches[0]], x[batches[1]]], axis=1)
    np.testing.assert_allclose(held[6:], after(cell, plan, two[6:]), rtol=1e-11)
    three = np.concatenate([x[rows[:6]] for rows in batches], axis=1)
    np.testing.assert_allclose(held[:6], after(cell, plan, three), rtol=1e-11)
    assert list(kept(plan)) == ["state/r.h", "state/r.c"][: 1 + (cell == "lstm")]


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_stop_where_a_window_starts(cell: str) -> None:
    plan, (x, y) = made(layer(cell)), data()
    plan.train(ORDER, 0, 0, np.zeros(1))
    before, rows = plan.parameters(), ORDER[8:16]
    start = after(cell, plan, x[ORDER[:8]])
    plan.train(ORDER, 8, 1, np.array([0.5]))
    for name, a in before.items():
        short, way = name.removeprefix("r."), np.random.default_rng(1).normal(size=a.shape)

        def value(k: float, short: str = short, a: Any = a, way: Any = way) -> float:
            moved = {n.removeprefix("r."): v for n, v in before.items()} | {short: a + k * way}
            return float(((reference(cell, plan, x[rows], start, **moved) - y[rows]) ** 2).mean())

        h = 1e-4
        slope = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
        found = ((a - plan.parameters()[name]) / 0.5 * way).sum()
        assert found == pytest.approx(slope, rel=1e-8), name


def test_an_epoch_starts_from_zeros_and_resumes_at_every_step() -> None:
    rates = np.full(3, 0.1)
    whole, still = made(STACK), made(layer("lstm"))
    losses = [still.train(ORDER, 0, step, np.zeros(3)).losses for step in (0, 3)]
    assert np.array_equal(*losses)
    whole.train(ORDER, 0, 0, rates)
    whole.train(ORDER, 0, 3, rates)
    for stop in range(6):
        first, second = made(STACK), made(STACK, threads=2)
        for step in range(stop):
            first.train(ORDER, 8 * (step % 3), step, rates[:1])
        second.restore(first.tensors())
        with driver.always_threaded():
            for step in range(stop, 6):
                second.train(ORDER, 8 * (step % 3), step, rates[:1])
        assert same(whole.tensors(), second.tensors()), stop
        second.close()


TOKENS = DataInfo(
    {"": (STEPS,)}, {"": TargetInfo("number", UNITS, steps=STEPS)}, 200,
    vocabularies={"": 5}, stride=STEPS,
)  # fmt: skip


def trained(threads: int, dtype: str) -> dict[str, np.ndarray]:
    """After two steps of an lstm behind a table, and dropout of its state, in several tasks."""
    layers = f"embedding units=4\n{layer('lstm', 'recurrent_dropout=0.3')}"
    graph, optimizer = net(layers, TOKENS, REST)
    plan = plan_of(graph, optimizer, batch=70, threads=threads, dtype=dtype)
    stream = np.random.default_rng(0)
    inputs = {"": stream.integers(0, 5, (200, STEPS))}
    plan.attach("train", inputs, {"": stream.normal(size=(200, STEPS, UNITS))})
    with driver.always_threaded():
        log = plan.train(streams(200, 70), 0, 0, np.full(3, 0.1))
        (outputs,) = plan.evaluate("train").outputs.values()
    plan.close()
    return {**plan.tensors(), "losses": log.losses, "outputs": outputs}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_bits_at_any_number_of_threads(dtype: str) -> None:
    first = trained(1, dtype)
    assert np.ptp(first["state/r.h"]) > 0.1
    assert all(same(trained(threads, dtype), first) for threads in (2, 3))


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_they_go_back_with_the_parameters(bad: int) -> None:
    plan, other = made(STACK), made(STACK)
    for one in (plan, other):
        one.train(ORDER, 0, 0, np.full(3, 0.1))
    rates = np.full(3, 0.1)
    rates[bad] = np.inf
    log = plan.train(ORDER, 0, 3, rates)
    assert (log.done, log.nonfinite) == (bad, True)
    if bad:
        other.train(ORDER, 0, 3, rates[:bad])
    assert same(plan.tensors(), other.tensors())


def test_nothing_else_moves_them_and_looks_begin_from_zeros() -> None:
    plan, fresh = made(STACK), made(STACK)
    plan.train(ORDER, 0, 0, np.zeros(2))
    before = plan.tensors()
    assert plan.loss("train", ORDER[:8]) == fresh.loss("train", ORDER[:8])
    assert np.ptp(plan.gradients("train", ORDER[:8])[1]["r.u"]) > 0
    plan.evaluate("train", ORDER[3:9])
    plan.features("train", ORDER, "r")
    plan.trace("train", 3)
    plan.locate_nonfinite(ORDER, 0, 3, 1e-2)
    assert same(plan.tensors(), before)


@pytest.mark.parametrize("cell", CELLS)
def test_evaluation_is_one_stream(cell: str) -> None:
    plan, (x, _) = made(layer(cell)), data()
    (found,) = plan.evaluate("train").outputs.values()
    long = reference(cell, plan, x.reshape(1, COUNT * STEPS, WIDTH))
    np.testing.assert_allclose(found.reshape(long.shape), long, rtol=1e-10, atol=1e-12)
    slices = []
    for rows in np.split(np.arange(COUNT), [5, 6, 17]):
        slices.append(next(iter(plan.evaluate("train", rows).outputs.values())))
    assert np.array_equal(np.concatenate(slices), found)
    features = plan.features("train", np.arange(COUNT), "r")
    assert np.array_equal(features.reshape(found.shape), found)


def test_a_stream_is_not_gone_on_from_after_a_gap_or_a_step() -> None:
    plan, (x, _) = made(layer("gru")), data()
    alone = reference("gru", plan, x[6:8].reshape(1, 2 * STEPS, WIDTH)).reshape(2, -1)

    def rows(*wanted: int) -> np.ndarray:
        (found,) = plan.evaluate("train", np.array(wanted)).outputs.values()
        return found

    np.testing.assert_allclose(rows(0, 1, 6, 7)[2:], alone, rtol=1e-11)
    rows(0, 1, 2, 3, 4)
    np.testing.assert_allclose(rows(6, 7), alone, rtol=1e-11)
    rows(0, 1, 2, 3, 4, 5)
    assert not np.allclose(rows(6, 7), alone, rtol=1e-3)
    for between in (
        lambda: plan.train(ORDER, 0, 0, np.zeros(1)),
        lambda: plan.restore(plan.tensors()),
        lambda: plan.features("train", np.arange(6), "r"),
    ):
        rows(0, 1, 2, 3, 4, 5)
        between()
        np.testing.assert_allclose(rows(6, 7), alone, rtol=1e-11)


def test_states_of_another_batch_are_left() -> None:
    plan = made(STACK)
    plan.train(ORDER, 0, 0, np.zeros(2))
    other = plan_of(plan.graph, batch=1)
    other.restore(plan.tensors())
    assert not any(array.any() for array in kept(other).values())
    assert same(other.parameters(), plan.parameters())
    plan.restore(random_parameters(plan.graph))
    assert not any(array.any() for array in kept(plan).values())
