"""Recurrent layers large enough for a CPU's tiles, on sequences of several lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.engine.cpu import HAS_TILES
from nnctl.plan import Plan
from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver
from tests.plan.nets import net, plan_of

STEPS, COUNT, UNITS, ROWS = 9, 70, 128, 45
LENGTHS = 1 + np.arange(COUNT) * 7 % STEPS
INFO = DataInfo({"": (STEPS, UNITS)}, {"": TargetInfo("number", 2)}, COUNT, lengths=("",))
CELLS = ("rnn", "lstm", "gru")


def _plan(cell: str, padding: float = 0.0, more: str = "", **options: Any) -> Plan:
    layers = f'{cell} units={UNITS} {more}\n{cell} units={UNITS} returns="last"\ndense units=2'
    graph, _ = net(layers, INFO)
    plan = plan_of(graph, **{"dtype": "float32", "batch": ROWS, **options})
    stream = np.random.default_rng(0)
    x, y = stream.normal(size=(COUNT, STEPS, UNITS)), stream.normal(size=(COUNT, 2))
    over = np.arange(STEPS) >= LENGTHS[:, None]
    x[over] = padding * stream.normal(size=(int(over.sum()), UNITS))
    plan.attach("train", {"": x}, {"": y}, {"": LENGTHS})
    return plan


def _same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    for name, gradient in one.items():
        assert np.array_equal(gradient, other[name]), name


@pytest.mark.skipif(not HAS_TILES, reason="this CPU has no tiles of bfloat16")
def test_they_go_over_tiles() -> None:
    plan = _plan("lstm")
    plan.gradients("train", np.arange(ROWS))
    names = {step.kernel.name for step, _ in plan.tapes.probe().single_steps()}
    assert {"cut_weights", "tile_gradient"} <= names
    assert "recurrent_gradient" not in names


@pytest.mark.parametrize("backward", ["false", "true"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_double_precision(cell: str, backward: str) -> None:
    more = f"backward={backward}"
    loss, found = _plan(cell, more=more).gradients("train", np.arange(ROWS))
    wide_loss, wanted = _plan(cell, more=more, dtype="float64").gradients("train", np.arange(ROWS))
    assert loss == pytest.approx(wide_loss, rel=1e-5)
    for name, gradient in wanted.items():
        assert np.abs(found[name] - gradient).max() <= 2e-5 * np.abs(gradient).max(), name


@pytest.mark.parametrize("more", ["", "backward=true", "recurrent_dropout=0.3"])
@pytest.mark.parametrize("cell", CELLS)
def test_neither_padding_nor_memory_nor_threads_change_a_bit(cell: str, more: str) -> None:
    rows = np.arange(ROWS)
    loss, wanted = _plan(cell, more=more).gradients("train", rows)
    other = _plan(cell, padding=100.0, more=more)
    assert other.gradients("train", rows)[0] == loss
    for fill in (0xFF, 0x00):
        other.tapes.probe().room.bytes[:] = fill
        _same(wanted, other.gradients("train", rows)[1])
    for threads in (2, 3):
        with driver.always_threaded():
            _same(wanted, _plan(cell, more=more, threads=threads).gradients("train", rows)[1])


@pytest.mark.parametrize("cell", CELLS)
def test_steps_taken_again_give_the_same(cell: str) -> None:
    """Sums over all steps are those of the segments', which round elsewhere."""
    rows = np.arange(ROWS)
    loss, wanted = _plan(cell).gradients("train", rows)
    again_loss, found = _plan(cell, more="gradient_checkpointing=true").gradients("train", rows)
    assert again_loss == loss
    for name, gradient in wanted.items():
        assert np.abs(found[name] - gradient).max() <= 2e-6 * np.abs(gradient).max(), name
