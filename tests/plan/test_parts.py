"""Layers that stand for several: forward and gradients against the formula of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks.ops import _slope
from tests.plan.nets import data_of, net, plan_of, random_parameters
from tests.vectors import collect

CASES = collect("COMPOSITES")


def gradient(case) -> None:  # type: ignore[no-untyped-def]
    """The loss is the formula's, and its gradients are its slopes."""
    tag, fields, given, shape, forward = case
    width = int(np.prod(shape))
    info = DataInfo({"": given}, {"": TargetInfo("number", width)}, 20)
    tail = "\nflatten" if len(shape) > 1 else ""
    graph, _ = net(f'{tag} name="whole" {fields}{tail}', info)
    assert graph.nodes[-1].size == width
    plan = plan_of(graph)
    inputs, targets = data_of(info)
    plan.attach("train", inputs, targets)
    rows = np.arange(8)
    loss, found = plan.gradients("train", rows)
    params = {k.removeprefix("param/"): a for k, a in random_parameters(graph).items()}

    def value(moved):  # type: ignore[no-untyped-def]
        short = {k.removeprefix("whole."): a for k, a in moved.items()}
        y = forward(inputs[""][rows], short).reshape(len(rows), -1)
        return float(((y - targets[""][rows]) ** 2).mean())

    assert loss == pytest.approx(value(params), rel=1e-12)
    stream = np.random.default_rng(0)
    for name in params:
        way = stream.normal(size=params[name].shape)
        slope = _slope(
            lambda h, name=name, way=way: value({**params, name: params[name] + h * way})
        )
        assert (found[name] * way).sum() == pytest.approx(slope, rel=1e-7), name


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_the_whole(case) -> None:  # type: ignore[no-untyped-def]
    gradient(case)


def test_the_directions_have_weights_of_their_own() -> None:
    info = DataInfo({"": (4, 3)}, {"": TargetInfo("number", 6)}, 20)
    graph, _ = net('bidirectional layer={type="rnn",units=3} name="b"\nglobal_avg_pool', info)
    names = [f"b.{way}.{name}" for way in ("forward", "backward") for name in ("w", "u", "b")]
    assert list(graph.parameters) == names
