"""Outputs that are fed back: the right ones in training, a layer's own in evaluation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nnctl.plan import Plan
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph.networks import problems
from tests.plan.nets import ADAM, MSE, data_of, net, plan_of, same
from tests.reference.recurrent import output_rnn

STEPS, COUNT = 5, 12
NUMBERS = DataInfo({"": (STEPS, 2)}, {"": TargetInfo("number", 3, steps=STEPS)}, COUNT)
CLASSES = replace(NUMBERS, targets={"": TargetInfo("class", 3, steps=STEPS)})
ENTROPY = '[loss]\ntype = "cross_entropy"\n'
LAYER = 'output_rnn units=4 outputs=3 name="r"'
NETS = {
    "numbers": (f'{LAYER} output_activation="tanh"', NUMBERS, MSE),
    "classes": (f'{LAYER} output_activation="softmax" signals=true', CLASSES, ENTROPY),
}


def _plan(kind: str, more: str = "", **options: object) -> tuple[Plan, np.ndarray, np.ndarray]:
    layers, info, rest = NETS[kind]
    graph, optimizer = net(f"{layers} {more}", info, rest + ADAM)
    plan = plan_of(graph, optimizer, **options)
    inputs, targets = data_of(info, COUNT)
    plan.attach("train", inputs, targets)
    return plan, inputs[""], targets[""]


def _loss(kind: str, plan: Plan, x: np.ndarray, target: np.ndarray, params: dict) -> float:  # type: ignore[type-arg]
    """Of the reference that is fed the target; what does not count feeds zeros, or the class 0."""
    counts = target >= 0 if kind == "classes" else ~np.isnan(target).any(axis=2)
    assert not counts[:, :-1].all()
    one_hot = np.eye(3)[np.maximum(target, 0)] if kind == "classes" else np.nan_to_num(target)
    right = one_hot if kind == "classes" else np.where(counts[..., None], one_hot, 0)
    taught = np.concatenate([np.zeros_like(right[:, :1]), right[:, :-1]], axis=1)
    y = output_rnn(x, params, plan.graph.node("r").fields, "sequence", taught=taught)
    if kind == "classes":
        logs = y - np.log(np.exp(y).sum(axis=-1, keepdims=True))
        return float(-(one_hot * logs).sum(axis=-1)[counts].mean())
    return float(np.square(y - one_hot)[counts].mean())


@pytest.mark.parametrize("kind", NETS)
def test_in_training_the_right_outputs_are_fed(kind: str) -> None:
    """Loss and gradients are those of the reference."""
    plan, x, target = _plan(kind)
    params = {name.split(".")[1]: array for name, array in plan.parameters().items()}
    x, target = x[:8], target[:8]
    found, gradients = plan.gradients("train", np.arange(8))
    assert found == pytest.approx(_loss(kind, plan, x, target, params), rel=1e-12)
    for name, array in params.items():
        way = np.random.default_rng(1).normal(size=array.shape)
        ends = (_loss(kind, plan, x, target, {**params, name: array + h * way})
                for h in (1e-5, -1e-5))  # fmt: skip
        slope = (next(ends) - next(ends)) / 2e-5
        assert (gradients[f"r.{name}"] * way).sum() == pytest.approx(slope, rel=1e-6, abs=1e-9)
    plan.close()


@pytest.mark.parametrize("kind", NETS)
def test_in_evaluation_its_own_outputs_are_fed(kind: str) -> None:
    plan, x, _ = _plan(kind)
    params = {name.split(".")[1]: array for name, array in plan.parameters().items()}
    wanted = output_rnn(x, params, plan.graph.node("r").fields, "sequence")
    found = plan.evaluate("train").outputs["r"].reshape(wanted.shape)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    plan.attach("new", {"": x})
    assert np.array_equal(plan.evaluate("new").outputs["r"].reshape(wanted.shape), found)
    plan.close()


def test_any_number_of_threads_gives_the_same_bits() -> None:
    results = []
    for threads in (1, 2):
        plan, *_ = _plan("classes", threads=threads, dtype="float32")
        plan.train(np.arange(8), 0, 0, np.full(1, 1e-2))
        results.append(plan.tensors())
        plan.close()
    assert same(*results)


def test_running_parity_is_learned_from_right_outputs_and_said_alone() -> None:
    """An output and the next bit are all that the next output needs: it holds far beyond."""
    info = DataInfo({"": (24, 1)}, {"": TargetInfo("class", 2, steps=24)}, 64)
    layer = 'output_rnn units=8 outputs=2 output_activation="softmax" signals=true name="r"'
    graph, optimizer = net(layer, info, ENTROPY + ADAM)
    plan = plan_of(graph, optimizer, batch=64)
    bits = np.random.default_rng(0).integers(0, 2, (64, 24))
    parity = np.cumsum(bits, axis=1) % 2
    plan.attach("train", {"": bits[..., None].astype(float)}, {"": parity})
    for step in range(300):
        plan.train(np.arange(64), 0, step, np.full(1, 2e-2))
    said = plan.evaluate("train").outputs["r"].reshape(64, 24, 2).argmax(axis=2)
    plan.close()
    assert np.array_equal(said, parity)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (f"{LAYER}\ndense units=3", "is no output that has one"),
        (f'{LAYER} returns="last"', "teacher forcing needs an output, and a target, at every step"),
        ("output_rnn units=4 outputs=2", "is fed its target, 5x2, and that is 5x3"),
        (f"{LAYER} recurrent_dropout=0.2", "what is fed back is right"),
        (f"{LAYER} signals=true", "has no effect with a linear output"),
    ],
)
def test_what_cannot_be_is_said(layers: str, said: str) -> None:
    assert any(said in one for one in problems(layers, info=NUMBERS, rest=MSE))
