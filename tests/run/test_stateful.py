"""Runs whose state goes on from batch to batch: what only it can learn, resume, evaluation."""

from __future__ import annotations

import random

import numpy as np
import pytest

from nnctl.errors import SpecError
from nnctl.run.evaluate import evaluate
from nnctl.run.prepare import prepare
from nnctl.run.session import resume
from nnctl.run.training import Terms
from nnctl.spec import load_spec
from tests.run.runs import stopping_at, train

SPEC = """
[data]
source = "a.txt"
window = 2
split = { train = 0.75, test = 0.25 }

[[layers]]
type = "embedding"
units = 4

[[layers]]
type = "gru"
units = 16
stateful = true

[[layers]]
type = "dense"
units = 3

[loss]
type = "cross_entropy"

[optimizer]
type = "adam"
learning_rate = 0.02

[training]
epochs = 20
batch_size = 8
threads = 1
evaluate_every = 0
shuffle = false

[checkpoint]
keep = 100
"""


@pytest.fixture
def spec(tmp_path):
    """``a x x a``, ``b x x b`` in random order: the second letter lies more than a window back."""
    chance = random.Random(1)
    pieces = (f"{letter}xx{letter}" for letter in chance.choices("ab", k=400))
    (tmp_path / "a.txt").write_text("".join(pieces))
    (tmp_path / "s.toml").write_text(SPEC)
    return tmp_path / "s.toml"


def loss(outcome):
    return outcome.summary["metrics"]["test"]["loss"]


def test_what_lies_before_the_window_is_learned_by_a_carried_state_alone(spec, tmp_path):
    """Of four letters one is open to all, and more to whoever forgets at a window's start.

    Windows of three letters, since gradients do not go further back: with two, no gradient reaches
    the letter, and whether it was remembered was a matter of rounding.
    """
    open_, three = np.log(2) / 4, "data.window=3"
    assert loss(train(spec, tmp_path / "with", three)) < 1.1 * open_
    without = train(spec, tmp_path / "without", three, "layers.1.stateful=false")
    assert loss(without) > 1.9 * open_


def test_stopped_in_an_epoch_it_goes_on_to_the_same_bits(spec, tmp_path):
    few = "training.epochs=2"
    train(spec, tmp_path / "whole", few)
    for step in (1, 40, 75, 76):  # an epoch has 75
        run = tmp_path / f"run{step}"
        one = ("checkpoint.every_steps=1", few)
        train(spec, run, *one, **stopping_at(step))
        for threads in (2, 1):
            terms = Terms(threads=threads, **stopping_at(step + 20 * threads))
            resume(str(run), terms=terms)
        resume(str(run), terms=Terms())
        found, wanted = (states(tmp_path / name) for name in (run.name, "whole"))
        assert found.keys() == wanted.keys() and "state/gru_1.h" in wanted
        assert all(np.array_equal(found[name], wanted[name]) for name in wanted), step


def states(run):
    from nnctl import checkpoint

    return checkpoint.load((run / "checkpoints" / "latest.safetensors").resolve())[0]


def test_evaluation_is_that_of_one_window_as_long_as_the_text(spec, tmp_path):
    outcome = train(spec, tmp_path / "run", "training.epochs=3")
    path = tmp_path / "run" / "checkpoints" / "latest.safetensors"
    found = evaluate(path, split="test")
    assert found.metrics["loss"] == pytest.approx(loss(outcome), rel=1e-12)
    long = ("layers.1.stateful=false", f"data.window={2 * found.samples}")
    outputs = []
    for changes in ((), long):
        prepared = prepare(load_spec(spec, changes))
        prepared.plan.restore(states(tmp_path / "run"))
        result = prepared.plan.evaluate("test")
        assert result.loss == pytest.approx(found.metrics["loss"], rel=1e-5)
        outputs.append(next(iter(result.outputs.values())).reshape(-1, 3))
        prepared.plan.close()
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-4)
    assert np.ptp(outputs[0]) > 1


def test_more_streams_than_can_go_on_are_refused(spec):
    with pytest.raises(SpecError) as caught:
        prepare(load_spec(spec, ("training.batch_size=599",)))
    said = str(caught.value)
    assert "599 training samples in 599 streams: of none would a second window go on" in said
    assert "set batch_size = 299 or less" in said
