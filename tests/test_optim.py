"""Optimizers against scalar references in plain Python floats, and what a plan adds to them."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.plan import Plan
from tests.checks.optim import CHECKS, draw, wanted
from tests.checks.optim_machine import engine, load, quadratic
from tests.plan.nets import MSE, data_of, net, numbers, plan_of, same
from tests.vectors import collect
from tests.vectors.case import OptimCase

OPTIMIZERS = collect("OPTIMIZERS")
ONE = np.zeros(1, np.int64)


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", OPTIMIZERS, ids=lambda case: case.id)
def test_optimizer(case: OptimCase, check: str) -> None:
    CHECKS[check](engine, case)


@pytest.mark.parametrize("case", OPTIMIZERS, ids=lambda case: case.id)
def test_resumed_is_uninterrupted(case: OptimCase) -> None:
    """Slots are saved and restored: 4 steps and 6 in another plan are 10, to the bit."""
    starts, targets = draw()
    rates = np.linspace(0.2, 0.1, 10)

    def made() -> Plan:
        plan = quadratic(dict(case.fields), case.tag, len(starts), dtype="float32", threads=1)
        load(plan, starts, targets)
        return plan

    whole, first, second = made(), made(), made()
    _steps(whole, 0, rates)
    _steps(first, 0, rates[:4])
    saved = {n: a.copy() for n, a in first.tensors().items()}
    second.restore(saved)
    _steps(second, 4, rates[4:])
    assert same(whole.tensors(), second.tensors())


def _steps(plan: Plan, first: int, rates: np.ndarray) -> None:
    for i, rate in enumerate(rates):
        plan.train(ONE, 0, first + i, np.array([rate]))


def test_slots_are_named_by_optimizer_slot_and_parameter() -> None:
    plan = quadratic({}, "adam", 3)
    names = {f"slot/adam.{s}/{p}" for s in "mv" for p in ("a.w", "b.w")}
    assert set(plan.tensors()) == names | {"param/a.w", "param/b.w"}


@pytest.mark.parametrize("case", [OPTIMIZERS[0], OPTIMIZERS[8]], ids=lambda case: case.id)
def test_updates_beyond_one_chunk_at_any_number_of_threads(case: OptimCase) -> None:
    """Parameters over several tasks of an update: each element is moved once, by its own."""
    count = 9001
    many = tuple(np.resize(a, count) for a in draw())
    rates = np.full(3, 0.1 * count)
    results = []
    for threads in (1, 2, 3):
        plan = quadratic(dict(case.fields), case.tag, count, dtype="float64", threads=threads)
        load(plan, *many)
        for i, rate in enumerate(rates):
            plan.train(ONE, 0, i, np.array([rate]))
        results.append(plan.tensors())
        plan.close()
    assert all(same(results[0], other) for other in results[1:])
    right = wanted(case, *many, rates)[-1]
    np.testing.assert_allclose(results[0]["param/a.w"][0], right, rtol=1e-12)


class TestForms:
    """form = "torch" against the notes' form: the same at a constant rate only."""

    starts, targets = draw()

    def path(self, rates: np.ndarray, **fields: object) -> np.ndarray:
        return engine(OptimCase("sgd", None, fields), self.starts, self.targets, rates, "float64")

    def test_momentum_agrees_at_a_constant_rate(self) -> None:
        rates = np.full(10, 0.1)
        notes = self.path(rates, momentum=0.9)
        torch = self.path(rates, momentum=0.9, form="torch")
        np.testing.assert_allclose(notes, torch, rtol=1e-12)

    def test_momentum_differs_when_the_rate_changes(self) -> None:
        rates = np.linspace(0.2, 0.05, 10)
        notes = self.path(rates, momentum=0.9)
        torch = self.path(rates, momentum=0.9, form="torch")
        assert np.abs(notes - torch).max() > 1e-2

    def test_torchs_nesterov_walks_the_points_that_the_notes_look_ahead_to(self) -> None:
        rates = np.full(10, 0.1)
        notes = self.path(rates, momentum=0.9, nesterov=True)
        torch = self.path(rates, momentum=0.9, nesterov=True, form="torch")
        before = np.vstack([self.starts, notes[:-1]])
        np.testing.assert_allclose(torch, notes + 0.9 * (notes - before), rtol=1e-10)

    def test_nesterov_is_not_momentum(self) -> None:
        rates = np.full(10, 0.1)
        ahead = self.path(rates, momentum=0.9, nesterov=True)
        assert np.abs(ahead - self.path(rates, momentum=0.9)).max() > 1e-2


class TestPenalties:
    """lambda/2 w^2 and lambda |w|: gradients lambda w and lambda sign(w), 0 at 0; no biases."""

    INFO = numbers(4, 3)

    def gradients(self, rest: str, zero: bool = False, dtype: str = "float64") -> tuple[Plan, dict]:
        graph, _ = net("dense units=5\ntanh\ndense units=3", self.INFO, MSE + rest)
        plan = plan_of(graph, dtype=dtype)
        if zero:
            tensors = plan.tensors()
            tensors["param/dense_1.w"][0] = 0
            plan.restore(tensors)
        plan.attach("train", *data_of(self.INFO))
        return plan, plan.gradients("train", np.arange(8))[1]

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_gradient_of_the_penalty(self, dtype: str) -> None:
        _, bare = self.gradients("", True, dtype)
        rest = "[regularization]\nl1 = 0.25\nl2 = 0.5\n"
        plan, found = self.gradients(rest, True, dtype)
        bound = 1e-12 if dtype == "float64" else 1e-5
        for name, values in plan.parameters().items():
            more = 0.25 * np.sign(values) + 0.5 * values if name.endswith(".w") else 0 * values
            np.testing.assert_allclose(found[name], bare[name] + more, rtol=bound, atol=bound)

    def test_value_of_the_penalty(self) -> None:
        plan, _ = self.gradients("[regularization]\nl1 = 0.25\nl2 = 0.5\n")
        weights = [a for n, a in plan.parameters().items() if n.endswith(".w")]
        wanted = sum(0.25 * np.abs(w).sum() + 0.25 * (w**2).sum() for w in weights)
        assert plan.penalty() == pytest.approx(wanted, rel=1e-12)

    def test_biases_only_when_asked(self) -> None:
        rest = "[regularization]\nl2 = 0.5\nbiases = true\n"
        _, bare = self.gradients("")
        plan, found = self.gradients(rest)
        for name, values in plan.parameters().items():
            np.testing.assert_allclose(found[name], bare[name] + 0.5 * values, rtol=1e-12)

    def test_a_layers_own_penalty_rules(self) -> None:
        graph, _ = net(
            "dense units=5 l2=0.0\ntanh\ndense units=3 l1=2.0",
            self.INFO,
            MSE + "[regularization]\nl2 = 0.5\n",
        )
        assert (graph.parameters["dense_1.w"].l2, graph.parameters["dense_2.w"].l1) == (0.0, 2.0)
        plan = plan_of(graph)
        plan.attach("train", *data_of(self.INFO))
        _, bare = self.gradients("")
        _, found = plan.gradients("train", np.arange(8))
        w = plan.parameters()["dense_2.w"]
        np.testing.assert_array_equal(found["dense_1.w"], bare["dense_1.w"])
        np.testing.assert_allclose(
            found["dense_2.w"], bare["dense_2.w"] + 2 * np.sign(w) + 0.5 * w, rtol=1e-12
        )

    def test_penalty_does_not_grow_from_step_to_step(self) -> None:
        plan, first = self.gradients("[regularization]\nl2 = 0.5\n")
        for _ in range(3):
            _, again = plan.gradients("train", np.arange(8))
        assert same(first, again)
