"""A few samples of recurrent networks, whose steps are calls of their own: the same bits."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from nnctl.plan import Plan
from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver
from tests.plan.nets import net, plan_of

STEPS, COUNT, WORDS, FEW = 6, 20, 5, 4
LAYERS = {
    "lstm of whole panels": "lstm units=64",
    "gru of whole panels": "gru units=32",
    "rnn of many panels": "rnn units=160",
    "lstm": "lstm units=5",
    "gru": "gru units=33",
    "rnn": 'rnn units=40 nonlinearity="relu"',
    "last step": 'lstm units=32\ngru units=32 returns="last"',
    "last step of some units": 'gru units=7 returns="last"',
    "backward": "lstm units=32 backward=true bias=false",
    "both directions": 'bidirectional layer={type="gru",units=32} merge="sum"',
    "peepholes": "lstm units=32 peepholes=true",
    "layer norm": 'rnn units=6 layer_norm=true\nlstm units=32 layer_norm=true returns="last"',
    "reset before": 'gru units=32 reset="before" initial_state="learned"',
    "learned start": 'lstm units=32 initial_state="learned"',
    "dropout": "gru units=32 recurrent_dropout=0.5",
}


def made(layers: str, tokens: bool, **options: Any) -> Plan:
    """A plan of sequences of several lengths."""
    vocabularies = {"": WORDS} if tokens else {}
    shape = (STEPS,) if tokens else (STEPS, 3)
    info = DataInfo(
        {"": shape}, {"": TargetInfo("number", 3)}, COUNT, vocabularies=vocabularies, lengths=("",)
    )
    last = 'gru units=3 returns="last"' if "last" not in layers else "dense units=3"
    front = "embedding units=4\n" if tokens else ""
    graph, _ = net(f"{front}{layers}\n{last}", info)
    plan = plan_of(graph, **options)
    stream = np.random.default_rng(0)
    size = (COUNT, *shape)
    given = stream.integers(0, WORDS, size) if tokens else stream.normal(size=size)
    targets, lengths = stream.normal(size=(COUNT, 3)), 1 + np.arange(COUNT) % STEPS
    plan.attach("all", {"": given}, {"": targets}, {"": lengths})
    return plan


@pytest.mark.parametrize("tokens", [False, True], ids=["numbers", "tokens"])
@pytest.mark.parametrize("layers", LAYERS)
def test_bits_are_those_of_many_samples(layers: str, tokens: bool) -> None:
    """Whoever asks for three samples gets what all samples got, on one thread and on three."""
    plan = made(LAYERS[layers], tokens)
    (whole,) = plan.evaluate("all").outputs.values()
    assert np.abs(np.diff(whole, axis=0)).max() > 1e-3
    for samples, threads in ((1, 1), (3, 3)):
        with driver.always_threaded() if threads > 1 else nullcontext():
            other = made(LAYERS[layers], tokens, threads=threads)
            for first in range(0, COUNT - samples, 3):
                rows = np.arange(first, first + samples)
                (found,) = other.evaluate("all", rows).outputs.values()
                assert np.array_equal(found, whole[rows]), (samples, threads, first)
            other.close()
    plan.close()


def test_few_samples_have_a_tape_of_their_own() -> None:
    """Else the test above would compare a thing with itself."""
    plan = made(LAYERS["lstm of whole panels"], tokens=False)
    few, many = plan.tapes.evaluation(True, few=True), plan.tapes.evaluation(True)
    assert few.capacity == FEW
    assert len(few.phases) >= STEPS
    assert many.capacity == 8
    assert len(many.phases) < STEPS
