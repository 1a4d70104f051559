"""Products with an embedding's table made once: the same network, and the same bits forward."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from nnctl.graph import passes
from nnctl.plan import compile as compiling
from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver
from tests.plan.nets import net, plan_of

STEPS, COUNT, WORDS = 7, 20, 5
INFO = DataInfo(
    {"": (STEPS,)}, {"": TargetInfo("number", 3)}, COUNT, vocabularies={"": WORDS}, lengths=("",)
)
CELLS = {
    "lstm": 'lstm units=6\nlstm units=3 returns="last"',
    "backward": 'lstm units=17 backward=true bias=false\nrnn units=3 returns="last"',
    "gru": 'gru units=3 returns="last"',
    "options": 'lstm units=6 layer_norm=true\ngru units=3 reset="before" returns="last"',
    "rnn": 'rnn units=33 nonlinearity="relu"\nrnn units=3 returns="last"',
}


def _plan(layers, looks_up=True, **options):  # type: ignore[no-untyped-def]
    graph, _ = net(f"embedding units=4\n{layers}", INFO)
    if looks_up:
        plan = plan_of(graph, **options)
    else:
        with patch.object(compiling, "look_up", lambda graph, samples: graph):
            plan = plan_of(graph, **options)
    stream = np.random.default_rng(0)
    lengths = 1 + np.arange(COUNT) % STEPS
    tokens = stream.integers(0, WORDS, (COUNT, STEPS))
    plan.attach("train", {"": tokens}, {"": stream.normal(size=(COUNT, 3))}, {"": lengths})
    return plan


def _has_embedding(plan) -> bool:  # type: ignore[no-untyped-def]
    return any(node.op == "embedding" for node in plan.tapes.lean.nodes)


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_have_the_same_bits_and_gradients_agree(cell: str) -> None:
    one, other = _plan(CELLS[cell]), _plan(CELLS[cell], looks_up=False)
    assert not _has_embedding(one)
    assert _has_embedding(other)
    for found, wanted in zip(*(p.evaluate("train").outputs.values() for p in (one, other)),
                             strict=True):  # fmt: skip
        assert np.array_equal(found, wanted)
    (loss, found), (same, wanted) = (p.gradients("train", np.arange(8)) for p in (one, other))
    assert loss == same
    assert found.keys() == wanted.keys()
    for name, gradient in wanted.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-10, atol=1e-13, err_msg=name)
        assert np.abs(gradient).max() > 1e-6


def test_same_bits_at_any_number_of_threads() -> None:
    results = []
    for threads in (1, 2, 3):
        plan = _plan(CELLS["gru"], threads=threads, batch=17, dtype="float32")
        with driver.always_threaded():
            results.append(plan.gradients("train", np.arange(17))[1])
    for other in results[1:]:
        assert all(np.array_equal(results[0][name], other[name]) for name in other)


def test_a_table_larger_than_the_batch_is_looked_up_row_by_row() -> None:
    graph, _ = net(f"embedding units=4\n{CELLS['gru']}", INFO)
    assert len(passes.look_up(graph, 1).nodes) < len(graph.nodes)
    big = DataInfo(INFO.inputs, INFO.targets, COUNT, vocabularies={"": 8 * STEPS})
    graph, _ = net(f"embedding units=4\n{CELLS['gru']}", big)
    assert passes.look_up(graph, 8) == graph
    assert passes.look_up(graph, 9) != graph


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_have_nothing_beyond_their_columns(cell: str) -> None:
    """What memory held before would reach norms of gradients, and the flag for NaN."""
    plan = _plan(CELLS[cell])
    driver.parts(plan, "g")[:] = 0
    plan.tapes.probe().room.bytes[:] = 255
    plan.gradients("train", np.arange(8))
    used = np.zeros(driver.parts(plan, "g").shape, dtype=bool)
    driver.fill(plan, used, True)
    assert (driver.parts(plan, "g")[~used] == 0).all()
