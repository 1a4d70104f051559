"""What a plan gives to a checkpoint, and takes from one."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.errors import CheckpointError
from nnctl.plan import Plan
from tests.plan.nets import ADAM, data_of, named, plan_of, random_parameters, same


def made(name: str = "mlp", **options: object) -> Plan:
    graph, optimizer, info = named(name, ADAM)
    plan = plan_of(graph, optimizer, **options)
    plan.attach("train", *data_of(info))
    return plan


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["mlp", "deep", "tied", "two losses"])
def test_what_is_restored_comes_back(name: str, dtype: str) -> None:
    plan = made(name, dtype=dtype)
    stream = np.random.default_rng(0)
    tensors = {n: stream.normal(size=a.shape).astype(dtype) for n, a in plan.tensors().items()}
    plan.restore(tensors)
    assert same(plan.tensors(), tensors)
    assert all(a.dtype == dtype for a in plan.tensors().values())


def test_tensors_are_copies() -> None:
    plan = made()
    first = plan.tensors()
    plan.train(np.arange(20), 0, 0, np.full(2, 0.1))
    assert not same(plan.tensors(), first)
    plan.restore(first)
    assert same(plan.tensors(), first)


def test_slots_left_out_start_at_zero() -> None:
    plan = made()
    plan.train(np.arange(20), 0, 0, np.full(2, 0.1))
    plan.restore(random_parameters(plan.graph))
    slots = {n: a for n, a in plan.tensors().items() if n.startswith("slot/")}
    assert len(slots) == 8
    assert not any(a.any() for a in slots.values())


class TestRefused:
    """Every tensor that does not fit is named, and nothing is changed."""

    def complaints(self, change: dict[str, object]) -> list[str]:
        plan = made()
        plan.train(np.arange(20), 0, 0, np.full(2, 0.1))
        before = plan.tensors()
        tensors = {**before, **change}
        given = {n: a for n, a in tensors.items() if a is not None}
        with pytest.raises(CheckpointError) as caught:
            plan.restore(given)
        assert same(plan.tensors(), before)
        return [str(problem).splitlines()[0] for problem in caught.value.problems]

    def test_missing(self) -> None:
        said = self.complaints({"param/dense_1.w": None, "slot/adam.v/dense_2.b": None})
        assert said == [
            'tensor "param/dense_1.w" is missing',
            'tensor "slot/adam.v/dense_2.b" is missing',
        ]

    def test_shape(self) -> None:
        said = self.complaints({"param/dense_1.w": np.zeros((5, 4))})
        assert said == ['tensor "param/dense_1.w" has shape (5, 4), the network needs (4, 5)']

    def test_missing_parameter_with_slots_left_out(self) -> None:
        """Leaving all slots out is allowed, but not if the rest is refused."""
        none = {n: None for n in made().tensors() if n.startswith("slot/")}
        said = self.complaints({**none, "param/dense_1.b": None})
        assert said == ['tensor "param/dense_1.b" is missing']


def test_without_an_optimizer_a_plan_evaluates_and_does_not_train() -> None:
    graph, _, info = named("mlp")
    plan = plan_of(graph)
    plan.attach("train", *data_of(info))
    assert set(plan.tensors()) == {f"param/{n}" for n in graph.parameters}
    plan.evaluate("train")
    with pytest.raises(RuntimeError, match="without an optimizer"):
        plan.train(np.arange(8), 0, 0, np.array([0.1]))
