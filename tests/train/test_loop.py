"""The loop's numbers do not depend on how it is cut up: calls, stops, resumes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnctl import checkpoint
from nnctl.train import events
from nnctl.train.evaluation import finite, mean_loss
from nnctl.train.loop import train
from nnctl.train.monitors import BestMonitor, Cadence
from nnctl.train.state import Counters, TrainState
from nnctl.train.stopping import (
    EarlyStopping,
    Epochs,
    GradientNormBelow,
    LossBelow,
    MaxSteps,
    Requested,
    TimeBudget,
)
from tests.train.fake_plan import FakePlan, make_job, problem

BATCH = 16  # 50 samples: three full batches and one of 2


def new_plan(**settings):
    return FakePlan(*problem(), BATCH, **settings)


def run(plan, state=None, clock=None, **changes):
    """Train; returns (events, the state, its checkpoint's bytes)."""
    state = state or TrainState()
    if state.tensors:
        plan.restore(state.tensors)
    job = make_job(plan, **changes)
    seen = list(train(job, state, clock or ticking(0.0)))
    return seen, state, encoded(state, seen)


def encoded(state, seen=()):
    tensors, meta = state.to_tensors()
    due = [e for e in seen if isinstance(e, events.CheckpointDue)]
    metrics = finite(due[-1].metrics) if due else {}
    return checkpoint.encode(tensors, {**meta, "metrics": metrics})


def again(blob):
    """Return the state that a checkpoint's bytes hold."""
    return TrainState.from_tensors(*checkpoint.decode(blob))


def ticking(step):
    """Return a clock that moves by ``step`` seconds each time it is read."""
    now = [0.0]

    def clock():
        now[0] += step
        return now[0]

    return clock


def watched(**more):
    """Return the rules and the monitor of a run that selects by validation loss."""
    rule = EarlyStopping("validation.loss", higher_is_better=False, patience=3)
    monitor = BestMonitor("validation.loss", higher_is_better=False)
    return {"rules": [rule, Epochs(30)], "monitor": monitor, "restore_best": True, **more}


def test_number_of_steps_per_call_changes_no_bit():
    slow, _, one_by_one = run(new_plan(), clock=ticking(1.0))
    plan = new_plan()
    fast, _, grouped = run(plan, clock=ticking(0.0))
    assert max(plan.calls) > 1, "the fast clock must group steps"
    assert one_by_one == grouped
    epochs = [e for e in fast if isinstance(e, events.EpochDone)]
    others = [e for e in slow if isinstance(e, events.EpochDone)]
    assert [(e.running_loss, e.metrics) for e in epochs] == [
        (e.running_loss, e.metrics) for e in others
    ]


@pytest.mark.parametrize("settings", [{}, watched()], ids=["plain", "early stopping"])
def test_stopped_after_any_step_and_resumed_gives_the_same_bytes(settings):
    whole, state, wanted = run(new_plan(), **settings)
    for last in range(state.counters.step):
        seen, blob = run_and_stop_after(last, settings)
        if not isinstance(seen[-1], events.Stopped):
            assert blob == wanted
            continue
        assert seen[-1].reason == "SIGTERM"
        assert seen[-1].step == last + 1, "the step under way is finished, no other begun"
        rest, _, found = run(new_plan(), again(blob), **settings)
        assert found == wanted, f"stopped after step {last + 1}"
        assert rest[-1] == whole[-1]


def run_and_stop_after(last, settings):
    """Train until a stop is asked for while the step of index ``last`` is being done."""
    asked = []
    plan = new_plan(on_train=lambda step: asked.append(1) if step >= last else None)
    request = Requested(lambda: "SIGTERM" if asked else "")
    seen, _, blob = run(plan, interruptions=[request], clock=ticking(1.0), **settings)
    return seen, blob


def test_three_epochs_and_three_more_are_six():
    settings = {"evaluate_every": 2, "monitor": BestMonitor("validation.loss", False)}
    _, _, six = run(new_plan(), rules=[Epochs(6)], **settings)
    _, _, three = run(new_plan(), rules=[Epochs(3)], **settings)
    assert three != six
    _, _, both = run(new_plan(), again(three), rules=[Epochs(6)], **settings)
    assert both == six


def test_more_patience_after_an_early_stop_is_as_if_it_had_never_stopped():
    def rules(patience):
        return [EarlyStopping("validation.loss", False, patience), Epochs(30)]

    common = {"monitor": BestMonitor("validation.loss", False), "restore_best": True}
    short, state, blob = run(new_plan(), rules=rules(2), **common)
    assert short[-1].reason == "early_stopping" and short[-1].restored
    assert state.best.counters.step < state.counters.step
    _, _, whole = run(new_plan(), rules=rules(6), **common)
    _, _, both = run(new_plan(), again(blob), rules=rules(6), **common)
    assert both == whole


def test_restored_checkpoint_holds_the_best_network_under_param():
    seen, state, blob = run(new_plan(), **watched())
    tensors, meta = checkpoint.decode(blob)
    assert meta["restored"] is True
    best = state.best.tensors["param/dense_1.w"]
    np.testing.assert_array_equal(tensors["param/dense_1.w"], best)
    assert not np.array_equal(tensors["trained/param/dense_1.w"], best)
    assert seen[-1].metrics["validation"]["loss"] == state.best.value


def test_best_is_the_earliest_smallest_value_and_equals_a_checkpoint_written_there():
    monitor = BestMonitor("validation.loss", higher_is_better=False)
    seen, state, _ = run(new_plan(), rules=[Epochs(25)], monitor=monitor)
    values = [e.metrics["validation"]["loss"] for e in seen if isinstance(e, events.EpochDone)]
    first = int(np.argmin(values))
    assert first + 1 < len(values), "the best must not be the last for this test to say anything"
    assert (state.best.value, state.best.counters.epoch) == (min(values), first + 1)
    _, there, _ = run(
        new_plan(), rules=[Epochs(first + 1)], monitor=BestMonitor("validation.loss", 0)
    )
    assert checkpoint.encode(*state.best_tensors()) == checkpoint.encode(*there.to_tensors())


def test_max_steps_ends_inside_an_epoch():
    seen, state, _ = run(new_plan(), rules=[MaxSteps(6), Epochs(9)])
    assert (seen[-1].reason, state.counters.step, state.counters.row) == ("max_steps", 6, 32)
    assert set(seen[-1].metrics) == {"train", "validation", "test"}


def test_max_steps_at_an_epochs_end_still_ends_the_epoch():
    seen, _, _ = run(new_plan(), rules=[MaxSteps(4)])
    assert [e.epoch for e in seen if isinstance(e, events.EpochDone)] == [1]


def test_loss_below_reads_the_training_loss_of_evaluation_mode():
    seen, _, _ = run(new_plan(), rules=[LossBelow(0.8), Epochs(99)])
    losses = [e.metrics["train"]["loss"] for e in seen if isinstance(e, events.EpochDone)]
    assert seen[-1].reason == "loss_below"
    assert losses[-1] < 0.8 <= min(losses[:-1])


def test_gradient_norm_below_looks_at_the_largest_of_an_epoch():
    seen, _, _ = run(new_plan(), rules=[GradientNormBelow(0.3), Epochs(99)])
    norms = [e.gradient_norm for e in seen if isinstance(e, events.EpochDone)]
    assert seen[-1].reason == "gradient_norm_below"
    assert norms[-1] < 0.3 <= min(norms[:-1])


def test_a_spent_time_budget_still_does_one_step_each_time():
    _, _, wanted = run(new_plan(), rules=[Epochs(2)])
    blob, rounds = None, 0
    while True:
        state = again(blob) if blob else TrainState()
        budget = TimeBudget(0.0, lambda: 1.0, state.counters.step)
        plan = new_plan()
        seen, _, blob = run(plan, state, rules=[Epochs(2)], interruptions=[budget])
        if isinstance(seen[-1], events.Finished):
            break
        assert seen[-1].reason == "max_time"
        assert plan.calls == [1]
        rounds += 1
    assert rounds == 8
    assert blob == wanted


def test_divergence_keeps_the_state_before_the_bad_step():
    _, _, wanted = run(new_plan(), rules=[MaxSteps(5)])
    seen, state, blob = run(new_plan(poison_step=5), rules=[Epochs(9)])
    assert seen[-1] == events.Diverged(1, 5, "dense_1.dw")
    assert isinstance(seen[-2], events.CheckpointDue) and seen[-2].reason == "diverged"
    found, expected = checkpoint.decode(blob), checkpoint.decode(wanted)
    assert found[1]["state"] == expected[1]["state"]
    for name, value in expected[0].items():
        np.testing.assert_array_equal(found[0][name], value)
    assert state.counters.step == 5


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_end_with_a_loss_that_is_not_finite_is_a_divergence(value):
    plan = new_plan()
    honest = plan.evaluate
    plan.evaluate = lambda split, rows: replace(
        honest(split, rows), **({"terms": ((1.0, value, 1.0),)} if split == "test" else {})
    )
    seen, state, _ = run(plan, rules=[MaxSteps(1)])
    last = seen[-1]
    assert isinstance(last, events.Diverged)
    assert (last.epoch, last.step, last.tensor, last.split) == (0, 1, "test.loss", "test")
    assert np.isfinite(last.metrics["train"]["loss"]) and state.counters.step == 1
    assert isinstance(seen[-2], events.CheckpointDue) and seen[-2].reason == "diverged"
    assert not any(isinstance(event, events.Finished) for event in seen)


def test_nan_is_never_the_best_and_costs_patience():
    plan = new_plan()
    values = iter([1.0, float("nan"), float("nan"), float("nan")])
    measure = lambda split, outputs: {"score": next(values) if split == "validation" else 0.0}  # noqa: E731
    rules = [EarlyStopping("validation.score", True, 3), Epochs(9)]
    monitor = BestMonitor("validation.score", True)
    seen, state, _ = run(plan, rules=rules, measure=measure, monitor=monitor)
    assert seen[-1].reason == "early_stopping"
    assert (state.best.value, state.best.counters.epoch) == (1.0, 1)


def test_min_delta_is_for_patience_not_for_the_best():
    values = iter([1.0, 1.05, 1.06, 1.07])
    measure = lambda split, outputs: {"score": next(values) if split == "validation" else 0.0}  # noqa: E731
    rules = [EarlyStopping("validation.score", True, 3, min_delta=0.1), Epochs(9)]
    monitor = BestMonitor("validation.score", True)
    seen, state, _ = run(new_plan(), rules=rules, measure=measure, monitor=monitor)
    assert (seen[-1].reason, seen[-1].epoch) == ("early_stopping", 4)
    assert state.best.value == 1.07


def test_checkpoints_are_due_by_steps_epochs_and_time():
    def due(**settings):
        cadence = Cadence(**settings)
        seen, _, _ = run(new_plan(), rules=[Epochs(3)], cadence=cadence, clock=ticking(1.0))
        return [(e.step, e.reason) for e in seen if isinstance(e, events.CheckpointDue)]

    assert due(every_seconds=1e9) == [(12, "epochs")]
    assert due(every_seconds=1e9, every_steps=5) == [(5, "steps"), (10, "steps"), (12, "epochs")]
    assert due(every_seconds=1e9, every_epochs=2) == [(8, "epochs"), (12, "epochs")]
    assert len(due(every_seconds=10.0)) > 2


def test_steps_are_logged_at_multiples_whatever_the_calls():
    seen, _, _ = run(new_plan(), log_every=3, rules=[Epochs(3)])
    single, _, _ = run(new_plan(), log_every=3, rules=[Epochs(3)], clock=ticking(1.0))
    steps = [e for e in seen if isinstance(e, events.StepDone)]
    assert [e.step for e in steps] == [3, 6, 9, 12]
    assert steps == [e for e in single if isinstance(e, events.StepDone)]


def test_a_stop_during_evaluation_gives_it_up_and_resume_makes_up_for_it():
    _, _, wanted = run(new_plan(), rules=[Epochs(2)])
    asked = []
    plan = new_plan()
    evaluate = plan.evaluate

    def stop_in_evaluation(split, rows):
        asked.append(1)
        return evaluate(split, rows)

    plan.evaluate = stop_in_evaluation
    request = Requested(lambda: "SIGINT" if asked else "")
    seen, state, blob = run(plan, rules=[Epochs(2)], interruptions=[request])
    assert isinstance(seen[-1], events.Stopped)
    assert (state.counters.epoch, state.counters.row) == (0, 50)
    assert run(new_plan(), again(blob), rules=[Epochs(2)])[2] == wanted


def test_sums_too_large_for_a_file_are_held_at_the_largest_number():
    """A norm may overflow where no gradient does; a checkpoint can hold no Inf."""
    counters = Counters()
    counters.advance(np.array([1e308, 1e308]), np.array([1.0, np.inf]), BATCH, 50)
    largest = np.finfo(np.float64).max
    assert (counters.loss_sum, counters.gradient_norm) == (largest, largest)


def test_the_loss_of_slices_is_the_mean_over_what_counts_in_all_of_them():
    """Two losses: on samples, and on steps, of which slices have different numbers."""
    slices = [((2.0, 0.5, 10.0), (1.0, 3.0, 4.0)), ((2.0, 1.5, 30.0), (1.0, 1.0, 0.0))]
    assert mean_loss(slices) == pytest.approx(2 * (5 + 45) / 40 + 3)
    assert np.isnan(mean_loss([((1.0, 0.0, 0.0),)]))  # nothing counts: no loss, and none met
    assert np.isnan(mean_loss([()]))
