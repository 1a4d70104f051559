"""Same bits for any number of threads, any order of tasks, and with memory shared or not."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.plan import Plan, phases
from tests.checks import driver
from tests.graph import networks
from tests.plan.nets import ADAM, NETS, classes, data_of, named, plan_of, random_parameters, same

COUNT = 400  # samples, in batches that cut every op into several tasks
BATCH = 150
RATES = np.full(3, 1e-2)


def trained(name: str, threads: int, dtype: str, kept: bool = False) -> dict[str, np.ndarray]:
    """Tensors and losses after three steps, the last on a partial batch."""
    graph, optimizer, info = named(name, ADAM)
    plan = plan_of(graph, optimizer, dtype=dtype, batch=BATCH, threads=threads)
    plan.attach("train", *data_of(info, COUNT))
    if kept:
        plan.tapes._made["train"] = plan.tapes.kept_train()
    with driver.always_threaded():
        log = plan.train(np.random.default_rng(0).permutation(COUNT), 0, 0, RATES)
    plan.close()
    assert log.done == 3
    return {**plan.tensors(), "losses": log.losses}


@pytest.mark.parametrize("name", NETS)
def test_any_number_of_threads(name: str) -> None:
    for dtype, counts in (("float32", (2, 3, 4)), ("float64", (3,))):
        first = trained(name, 1, dtype)
        for threads in counts:
            assert same(trained(name, threads, dtype), first), f"{threads} threads, {dtype}"
        assert same(trained(name, 2, dtype, kept=True), first), f"every array kept, {dtype}"


WIDE = (
    'dense units=512 activation="relu"\ndense units=256 activation="relu"\ndense units=10',
    classes(784, 10), networks.LOSS, networks.HEAD,
)  # fmt: skip


def test_a_wide_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums in several blocks, many tasks for every product, updates of many chunks."""
    monkeypatch.setitem(NETS, "wide", WIDE)
    first = trained("wide", 1, "float32")
    for threads in (2, 3, 4):
        assert same(trained("wide", threads, "float32"), first), f"{threads} threads"


def _step(plan: Plan, name: str) -> dict[str, np.ndarray]:
    """Gradients in any order of tasks, several times, against those in order."""
    graph, _, _ = named(name)
    tape = plan.tapes.probe()
    plan.use("train")
    found = {}
    for seed in range(4):
        plan.restore(random_parameters(graph))
        tape.room.bytes[:] = 255  # or what an earlier run left would do
        loss = np.array(driver.run_in_any_order(plan, tape, BATCH, seed))
        found[str(seed)] = {"loss": loss, **plan.values.read("g")}
    return found


def in_any_order(name: str) -> None:
    """Fail unless the tasks of every phase may run in any order."""
    graph, _, info = named(name)
    plan = plan_of(graph, dtype="float32", batch=BATCH)
    plan.attach("train", *data_of(info, BATCH))
    wanted_loss, wanted = plan.gradients("train", np.arange(BATCH))
    assert max(g.split.tasks for p in plan.tapes.probe().phases for g in p) > 1
    for seed, found in _step(plan, name).items():
        assert same(found, {"loss": np.array(wanted_loss), **wanted}), f"order {seed}"


@pytest.mark.parametrize("name", NETS)
def test_tasks_in_any_order(name: str) -> None:
    in_any_order(name)


LAYERS = ('dense units=70 activation="tanh"\ndense units=80\ngelu\ndense units=3', *NETS["mlp"][1:])


@pytest.mark.parametrize(
    "missing", ["", "dense_1.y", "dense_2.y", "gelu_1.y", "gelu_1.dy", "losses"]
)
def test_a_missing_dependency_is_found(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the builder of phases does not see that calls share one of the arrays."""
    real, hidden = phases._conflict, set()

    def blind(a, b):  # type: ignore[no-untyped-def]
        found = real(a, b)
        hidden.update(buffer.name for buffer in found if buffer.name == missing)
        return {buffer for buffer in found if buffer.name != missing}

    monkeypatch.setattr(phases, "_conflict", blind)
    monkeypatch.setitem(NETS, "layers", LAYERS)
    if not missing:
        in_any_order("layers")
        return
    with pytest.raises(AssertionError):
        in_any_order("layers")
    assert hidden, f"no call depends on another through {missing}"
