"""Losses over steps: the mean over the steps that count, its gradient, and what must not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.graph import Graph
from nnctl.plan import Plan
from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks import driver
from tests.checks.ops import close, near
from tests.plan.nets import Array, data_of, net, plan_of, same
from tests.plan.test_gradients import slopes
from tests.reference import network
from tests.vectors.case import Context

ROWS = np.array([3, 0, 11, 1, 7, 2, 19])
STEPS = 5
SMOOTH = '[loss]\ntype = "cross_entropy"\nlabel_smoothing = 0.2\n'
PAIR = TargetInfo("class", 2, steps=STEPS)
THREE = TargetInfo("class", 3, steps=STEPS)
NUMBERS = TargetInfo("number", 2, steps=STEPS)
CLASS_WEIGHTS = np.array([0.5, 2.0, 0.0])

# name: (units, loss, target, class weights)
CASES: dict[str, tuple[int, str, TargetInfo, Any]] = {
    "cross-entropy": (3, '[loss]\ntype = "cross_entropy"\n', THREE, None),
    "smoothed": (3, SMOOTH, THREE, None),
    "smoothed and weighed": (3, SMOOTH + "weight = 3.0\n", THREE, CLASS_WEIGHTS),
    "binary": (
        1, '[loss]\ntype = "binary_cross_entropy"\npos_weight = 2.0\nlabel_smoothing = 0.1\n',
        PAIR, None,
    ),
    "binary numbers": (2, '[loss]\ntype = "binary_cross_entropy"\n', NUMBERS, None),
    "mse": (2, '[loss]\ntype = "mse"\nweight = 0.5\n', NUMBERS, None),
    "mse of classes": (3, '[loss]\ntype = "mse"\n', THREE, None),
    "mae": (2, '[loss]\ntype = "mae"\n', NUMBERS, None),
    "huber": (2, '[loss]\ntype = "huber"\ndelta = 0.7\n', NUMBERS, None),
}  # fmt: skip


def made(name: str, **options: Any) -> tuple[Plan, Graph, dict[str, Array], dict[str, Array], Any]:
    units, loss, target, weights = CASES[name]
    info = DataInfo({"": (STEPS, 3)}, {"": target}, 20)
    graph, optimizer = net(f"dense units=4\ntanh\ndense units={units}", info, loss)
    given = {} if weights is None else {graph.losses[0].output: weights}
    plan = plan_of(graph, optimizer, class_weights=given, **options)
    inputs, targets = data_of(info)
    plan.attach("train", inputs, targets)
    return plan, graph, inputs, targets, given


@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradient_are_the_mean_over_what_counts(name: str) -> None:
    plan, graph, inputs, targets, weights = made(name)
    loss, found = plan.gradients("train", ROWS)
    here = {n: a[ROWS] for n, a in inputs.items()}, {n: a[ROWS] for n, a in targets.items()}
    params = plan.parameters()

    def value(params: dict[str, Array]) -> float:
        return float(network.mean_loss(graph, params, *here, Context(), weights))

    assert loss == pytest.approx(value(params), rel=1e-12)
    for parameter in params:
        close(found[parameter], slopes(value, params, parameter), 1e-6, parameter)


@pytest.mark.parametrize("name", CASES)
def test_single_precision_and_any_number_of_threads(name: str) -> None:
    wide = made(name)[0].gradients("train", ROWS)
    results = []
    for threads in (1, 2, 3):
        plan = made(name, dtype="float32", threads=threads)[0]
        with driver.always_threaded():
            loss, found = plan.gradients("train", ROWS)
        plan.close()
        results.append({**found, "loss": np.array(loss)})
    assert same(results[0], results[1]) and same(results[0], results[2])
    assert results[0]["loss"] == pytest.approx(wide[0], rel=1e-5)
    for parameter, gradient in wide[1].items():
        near(results[0][parameter], gradient, 2e-5, parameter)


@pytest.mark.parametrize("name", CASES)
def test_evaluation_is_the_mean_over_all_steps_that_count(name: str) -> None:
    plan, graph, inputs, targets, weights = made(name, eval_batch=3)
    found = plan.evaluate("train")
    wanted = network.mean_loss(graph, plan.parameters(), inputs, targets, Context(), weights)
    assert found.loss == pytest.approx(wanted, rel=1e-12)
    (losses,) = found.losses.values()
    one = {n: a[:1] for n, a in inputs.items()}, {n: a[:1] for n, a in targets.items()}
    own = network.mean_loss(graph, plan.parameters(), *one, Context(), weights)
    assert losses[0] == pytest.approx(own / graph.losses[0].weight, rel=1e-12)
    assert losses[1] == 0  # none of its steps counts


@pytest.mark.parametrize("name", ["smoothed", "binary", "mse"])
def test_what_does_not_count_changes_nothing(name: str) -> None:
    """Neither in a batch in which some steps count, nor in one in which none does."""
    plan, _, inputs, targets, _ = made(name)
    first = plan.gradients("train", ROWS)
    changed = inputs[""].copy()
    labels = targets[""]
    off = labels < 0 if labels.ndim == 2 else np.isnan(labels).any(axis=2)
    changed[off] += 7.0
    plan.attach("other", {"": changed}, targets)
    again = plan.gradients("other", ROWS)
    assert first[0] == again[0] and same(first[1], again[1])
    loss, found = plan.gradients("train", np.array([1]))
    assert loss == 0 and not any(g.any() for g in found.values())


def test_targets_that_kernels_cannot_read_are_refused() -> None:
    plan, _, inputs, targets, _ = made("smoothed")
    for labels in (np.where(targets[""] < 0, 3, targets[""]), targets[""] - 1, targets[""][:, 1:]):
        with pytest.raises(ValueError, match=r"labels from|expected 5 steps"):
            plan.attach("bad", inputs, {"": labels})
