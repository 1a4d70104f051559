"""A step at a time: the same bits as the whole network gives, for what can go step by step."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.graph.stepping import NotByStep, one_step
from nnctl.plan.stepper import Stepper
from nnctl.run.speakers import Again, Speakers
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph.networks import LOSS
from tests.plan.nets import net, plan_of, random_parameters
from tests.plan.test_encoder_decoder import ATTENTION, COUNT, INFO, LENGTHS, NUMBERS, data, layers

STEPS = 6
TEXT = DataInfo({"": (STEPS,)}, {"": TargetInfo("class", 7, steps=STEPS)}, 9, vocabularies={"": 7})
SERIES = DataInfo({"": (STEPS, 2)}, {"": TargetInfo("class", 7, steps=STEPS)}, 9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_steps_are_those_of_the_whole_sequence(cell: str, dtype: str) -> None:
    text = f"embedding units=3\n{cell} units=9\nlayer_norm\ndropout\n{cell} units=5\ntanh\n"
    graph, _ = net(text + "dense units=7", TEXT, LOSS)
    plan = plan_of(graph, dtype=dtype)
    tokens = np.random.default_rng(0).integers(0, 7, (9, STEPS))
    plan.attach("all", {"": tokens})
    steppers = [Stepper(one_step(graph, "", ["dense_1"], rows), plan, rows) for rows in (9, 2)]
    for seed in range(2):  # the second time from the start again, with other parameters
        plan.restore(random_parameters(graph, seed))
        (whole,) = plan.evaluate("all").outputs.values()
        for stepper, rows in zip(steppers, (9, 2), strict=True):
            stepper.take(plan)
            stepper.begin(tokens[:rows, :1], {}, {}, {})
            for step in range(STEPS):
                stepper.feed(tokens[:rows, step])
                (found,) = stepper.step().values()
                assert np.array_equal(found, whole.reshape(9, STEPS, 7)[:rows, step]), step
    for stepper in steppers:
        stepper.close()


LEARNED = 'initial_state="learned" units=9'
BEFORE = 'gru reset="before" layer_norm=true'
SIGNALS = 'output_activation="softmax" signals=true outputs=7'


@pytest.mark.parametrize(
    "cells",
    [
        f"lstm peepholes=true {LEARNED}\n{BEFORE} {LEARNED}\ndense units=7",
        f'output_rnn {SIGNALS} {LEARNED} name="dense_1"',
        f"output_rnn outputs=3 teacher_forcing=false {LEARNED}\ndense units=7",
    ],
)
def test_trained_starts_and_outputs_that_are_fed_back_go_step_by_step(cells: str) -> None:
    graph, _ = net(f"embedding units=3\n{cells}", TEXT, LOSS)
    plan = plan_of(graph)
    tokens = np.random.default_rng(0).integers(0, 7, (9, STEPS))
    plan.attach("all", {"": tokens})
    (whole,) = plan.evaluate("all").outputs.values()
    stepper = Stepper(one_step(graph, "", ["dense_1"], 9), plan, 9)
    stepper.begin(tokens[:, :1], {}, {}, {})
    for step in range(STEPS):
        stepper.feed(tokens[:, step])
        (found,) = stepper.step().values()
        assert np.array_equal(found, whole.reshape(9, STEPS, 7)[:, step]), step
    stepper.close()
    plan.close()


def test_many_steps_in_one_call_are_many_calls() -> None:
    graph, _ = net("embedding units=3\ngru units=9\ndense units=7", TEXT, LOSS)
    plan = plan_of(graph)
    said = []
    for threads, pieces in ((1, (40,)), (1, (1, 7, 32)), (3, (40,))):
        whole = plan_of(graph, threads=threads)
        stepper = Stepper(one_step(graph, "", ["dense_1"], 5), whole, 5)
        stepper.begin(np.zeros((5, 1), np.int64), {}, {}, {})
        table, first = np.full((41, 5), -1), 0
        table[0] = 0
        for steps in pieces:
            stepper.speak(table, first, steps, temperature=1.5, top_k=4, seed=9)
            first += steps
        said.append(table)
        stepper.close()
    assert np.array_equal(said[0], said[1]) and np.array_equal(said[0], said[2])
    assert len(np.unique(said[0][:, 0])) > 2
    assert (said[0][:, 0] != said[0][:, 1]).any(), "each sample has numbers of its own"
    plan.close()


def begun(rows: int) -> tuple[Stepper, np.ndarray]:
    """A text's network of one step at its start, and what all of its sequences are fed first."""
    graph, _ = net("embedding units=3\nrnn units=4\ndense units=7", TEXT, LOSS)
    stepper = Stepper(one_step(graph, "", ["dense_1"], rows), plan_of(graph), rows)
    fed = np.zeros((rows, 1), np.int64)
    stepper.begin(fed, {}, {}, {})
    return stepper, fed


def test_what_is_drawn_has_its_probability() -> None:
    """Of one step from the same state many times: shares are those of the softmax of top k."""
    rows = 20_000
    stepper, fed = begun(rows)
    scores = stepper.step()["dense_1"][0]
    for temperature, most in ((1.0, 0), (0.5, 3)):
        stepper.begin(fed, {}, {}, {})
        said = np.full((2, rows), -1)
        said[0] = 0
        stepper.speak(said, 0, 1, temperature=temperature, top_k=most, seed=1)
        wanted = np.exp((scores - scores.max()) / temperature)
        if most:
            wanted[np.argsort(-scores)[most:]] = 0
        wanted /= wanted.sum()
        found = np.bincount(said[1], minlength=7) / rows
        assert np.abs(found - wanted).max() < 4 * np.sqrt(0.25 / rows)
        assert (found[wanted == 0] == 0).all()
    stepper.close()


def test_what_is_never_said_takes_no_place_among_the_largest() -> None:
    rows = 500
    stepper, fed = begun(rows)
    best = np.argsort(-stepper.step()["dense_1"][0])
    for most in (1, 2, 6, 50):
        stepper.begin(fed, {}, {}, {})
        said = np.full((2, rows), -1)
        said[0] = 0
        stepper.speak(said, 0, 1, temperature=3.0, top_k=most, seed=1, never=int(best[0]))
        assert set(said[1].tolist()) == set(best[1 : most + 1].tolist())
    stepper.close()


def test_a_stop_ends_a_sequence_and_given_symbols_are_kept() -> None:
    stepper, _ = begun(3)
    said = np.full((30, 3), -1)
    said[:4] = [[0, 1, 2], [3, 3, -1], [5, -1, -1], [2, -1, -1]]
    given = said.copy()
    stepper.speak(said, 0, 29, temperature=2.0, seed=3, stop=6, never=4)
    assert np.array_equal(said[given >= 0], given[given >= 0])
    assert not (said[given < 0] == 4).any()
    for row in said.T:
        stops = np.flatnonzero(row == 6)
        assert len(stops) <= 1
        if len(stops):
            assert (row[stops[0] + 1 :] == -1).all()
    stepper.close()


@pytest.mark.parametrize("score", ATTENTION)
def test_both_speakers_say_the_same(score: str | None) -> None:
    graph, _ = net(layers(more=ATTENTION[score]), INFO, LOSS)
    _compare(graph, data()[0], {"": LENGTHS})


def test_both_speakers_say_the_same_numbers() -> None:
    text = 'encoder_decoder name="e" stop_head=true encoder=[{type="lstm",units=3}] '
    text += 'decoder=[{type="lstm",units=4},{type="dense",units=2}]'
    graph, _ = net(text, NUMBERS, '[loss]\ntype = "mse"\n')
    _compare(graph, data()[0], {})


def _compare(graph, x, lengths) -> None:  # type: ignore[no-untyped-def]
    plan, other = plan_of(graph), plan_of(graph)
    made = Speakers(plan, "e.previous", 2 * COUNT)
    assert made.stepper is not None
    one = made.of({"": x}, lengths, 2)
    two = Again(other, "e.previous", {"": x}, lengths, 2)
    given, stream = None, np.random.default_rng(0)
    for _ in range(4):
        found, wanted = one.step(given), two.step(given)
        assert np.array_equal(found, wanted)
        assert np.array_equal(one.ended(), two.ended())
        given = np.argmax(found, axis=1) if found.shape[1] == 5 else found
        pairs = 2 * np.arange(COUNT).repeat(2) + stream.integers(0, 2, 2 * COUNT)
        given = given[pairs]
        one.reorder(pairs)
        two.reorder(pairs)
    made.close()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gru units=3 backward=true\ndense units=7", "goes from the last step to the first"),
        ('conv1d filters=3 kernel_size=2 padding="causal"\ndense units=7', "more than one step"),
        ('bidirectional layer={type="gru",units=3}\ndense units=7', "from the last step"),
        ('attention from=["input","input"]\ndense units=7', "more than one step"),
    ],
)
def test_what_cannot_go_step_by_step_says_why(text: str, why: str) -> None:
    graph, _ = net(text, SERIES, LOSS)
    with pytest.raises(NotByStep, match=why):
        one_step(graph, "", ["dense_1"], 3)
