"""The gradient check finds planted faults, and takes corners for what they are."""

import numpy as np
import pytest

from nnctl.run.differences import EVERY, check_gradients

X = np.random.default_rng(0).normal(size=(5, 3))
T = np.random.default_rng(1).normal(size=(5, 4))


class Relu:
    """``mean((relu(x w + b) - t)^2)`` with its gradient; ``spoil`` changes what it returns."""

    def __init__(self, spoil=lambda gradients: gradients, width=4, x=X):
        rng = np.random.default_rng(2)
        self.x, self.t, self.spoil = x, np.resize(T, (len(x), width)), spoil
        self.values = {"d.w": rng.normal(size=(3, width)), "d.b": np.zeros(width)}

    def parameters(self):
        return {name: value.copy() for name, value in self.values.items()}

    def tensors(self):
        return {f"param/{name}": value.copy() for name, value in self.values.items()}

    def restore(self, tensors):
        self.values = {name: tensors[f"param/{name}"].copy() for name in self.values}

    def signals(self):
        return self.x @ self.values["d.w"] + self.values["d.b"]

    def loss(self, split, rows):
        return float(np.mean((np.maximum(self.signals(), 0) - self.t) ** 2))

    def gradients(self, split, rows):
        s = self.signals()
        ds = 2 * (np.maximum(s, 0) - self.t) / self.t.size * (s > 0)
        return self.loss(split, rows), self.spoil({"d.w": self.x.T @ ds, "d.b": ds.sum(axis=0)})


def findings(plan, **more):
    found = check_gradients(plan, "train", np.arange(5), **more)
    return {each.parameter: each for each in found}


def test_a_right_gradient_passes_on_every_element():
    found = findings(Relu())
    assert all(each.passed for each in found.values())
    assert found["d.w"].elements == 12 and found["d.b"].elements == 4
    assert found["d.w"].worst.error < 1e-6


def test_parameters_that_start_at_zero_are_moved_before():
    plan = Relu()
    findings(plan)
    assert plan.values["d.b"].all()


def scaled(gradients):
    return {**gradients, "d.w": gradients["d.w"] * 1.001}


def one_element(gradients):
    gradients["d.w"][2, 1] += 1e-5
    return gradients


def transposed(gradients):
    return {**gradients, "d.b": gradients["d.b"][::-1].copy()}


def broken(gradients):
    gradients["d.b"][3] = np.nan
    return gradients


@pytest.mark.parametrize(
    ("spoil", "name", "index"),
    [
        (scaled, "d.w", None),
        (one_element, "d.w", (2, 1)),
        (transposed, "d.b", None),
        (broken, "d.b", (3,)),
    ],
)
def test_a_planted_fault_is_found_where_it_is(spoil, name, index):
    found = findings(Relu(spoil))
    assert not found[name].passed
    assert found["d.w" if name == "d.b" else "d.b"].passed
    if index:
        assert found[name].worst.index == index
        assert found[name].failed == 1


def test_a_corner_is_no_fault():
    """With all inputs 0 and a bias of exactly 0 would every unit lie on its corner."""
    plan = Relu(x=np.zeros((5, 3)))
    plan.values["d.b"] = np.array([0.0, 1e-6, -1e-6, 0.5])
    found = findings(plan)
    assert found["d.b"].passed
    assert found["d.b"].kinks >= 1


def test_a_wrong_value_on_a_corner_is_a_fault():
    plan = Relu(lambda g: {**g, "d.b": g["d.b"] + [5.0, 0, 0, 0]}, x=np.zeros((5, 3)))
    plan.values["d.b"] = np.array([0.0, 0.2, 0.3, 0.5])
    assert not findings(plan)["d.b"].passed


def test_a_large_parameter_is_sampled_the_same_way_each_time():
    seen = []

    class Spying(Relu):
        def restore(self, tensors):
            changed = np.flatnonzero(tensors["param/d.w"] != self.values["d.w"])
            seen.append(tuple(changed))
            super().restore(tensors)

    first = findings(Spying(width=200))
    once, seen[:] = list(seen), []
    second = findings(Spying(width=200))
    assert first["d.w"].elements == EVERY == second["d.w"].elements
    assert first["d.w"].passed
    assert once == seen


def test_what_is_not_meant_to_be_a_derivative_is_named_not_checked():
    found = findings(Relu(scaled), skip={"d.w": "straight-through"})
    assert found["d.w"].skipped == "straight-through"
    assert found["d.w"].elements == 0


def test_the_parameters_are_back_at_their_base():
    plan = Relu()
    before = plan.values["d.w"].copy()
    findings(plan)
    assert (plan.values["d.w"] == before).all()


class Corners:
    """Smooth, but for a corner of each element at ``DISTANCES`` from where it is, and for the last
    one another behind it: both slopes are larger than its own."""

    DISTANCES = np.array([3e-6, -3e-6, 3e-7, -2e-7, 0.0, 1.0, 3e-7])
    BEHIND = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2e-7])
    START = np.linspace(0.2, 0.7, 7)

    def __init__(self, factors):
        self.w, self.factors = self.START.copy(), factors

    def parameters(self):
        return {"w": self.w.copy()}

    def tensors(self):
        return {"param/w": self.w.copy()}

    def restore(self, tensors):
        self.w = tensors["param/w"].copy()

    def beyond(self):
        return self.w - self.START - self.DISTANCES

    def loss(self, split, rows):
        bent = np.maximum(self.beyond(), 0) + np.minimum(self.w - self.START + self.BEHIND, 0)
        return float((np.sin(self.w) + 0.1 * bent).sum())

    def gradients(self, split, rows):
        found = np.cos(self.w) + 0.1 * (self.beyond() > 0)
        return self.loss(split, rows), {"w": found * self.factors}


def test_corners_within_the_step_are_no_faults():
    found = findings(Corners(np.ones(7)))["w"]
    assert found.passed
    assert found.kinks == 6


@pytest.mark.parametrize("element", range(7))
@pytest.mark.parametrize("factor", [1.001, 0.999, 0.0, -1.0])
def test_a_fault_beside_a_corner_is_found(element, factor):
    factors = np.ones(7)
    factors[element] = factor
    found = findings(Corners(factors))["w"]
    if element == 4 and factor == 1.001:
        return  # on the corner any value between the two slopes is right
    assert found.failed == 1
    assert found.worst.index == (element,)


def test_what_rounding_could_hide_at_a_finer_step_is_a_fault():
    """A wrong value this small is within the tolerance of the finer steps, but does not get
    nearer."""
    plan = Corners(np.ones(7))
    plan.loss = lambda split, rows: float(1 + np.square(plan.w - plan.START).sum())
    plan.gradients = lambda split, rows: (1.0, {"w": np.full(7, 1e-7)})
    assert findings(plan)["w"].failed == 7


def test_many_parameters_share_what_is_checked():
    class Many:
        values = {f"p{k}": np.full(100, 0.5) for k in range(40)}
        values["small"] = np.full(3, 0.5)

        def parameters(self):
            return dict(self.values)

        def tensors(self):
            return {f"param/{n}": v for n, v in self.values.items()}

        def restore(self, tensors):
            self.values = {n: tensors[f"param/{n}"].copy() for n in self.values}

        def loss(self, split, rows):
            return float(sum((v**2).sum() for v in self.values.values()))

        def gradients(self, split, rows):
            return self.loss(split, rows), {n: 2 * v for n, v in self.values.items()}

    found = findings(Many())
    assert {each.elements for name, each in found.items() if name != "small"} == {25}
    assert found["small"].elements == 3
    assert all(each.passed for each in found.values())
