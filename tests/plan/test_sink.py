"""Relu behind the max pool that reads it: other work, the same bits."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph import networks
from tests.plan.nets import ADAM, data_of, net, plan_of, same

INFO = DataInfo({"": (8, 9, 3)}, {"": TargetInfo("class", 3)}, 100)
POOLS = {
    "side by side": "max_pool2d",
    "overlapping": "max_pool2d pool_size=3 stride=2 padding=1",
    "whole": "global_max_pool",
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("pool", POOLS)
def test_training_and_evaluation_are_the_same_to_the_bit(
    pool: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = f"conv2d filters=17 kernel_size=3\nrelu\n{POOLS[pool]}\nflatten\ndense units=3"
    graph, optimizer = net(layers, INFO, networks.LOSS + ADAM)
    found = []
    for moved in (True, False):
        if not moved:
            monkeypatch.setattr("nnctl.plan.compile.sink", lambda graph: graph)
        plan = plan_of(graph, optimizer, dtype=dtype)
        inputs, targets = data_of(INFO)
        inputs[""][:5] = -1.0  # whole windows of equal numbers
        plan.attach("train", inputs, targets)
        order = [node.op for node in plan.tapes.lean.nodes]
        assert (order.index("relu") > order.index(POOLS[pool].split()[0])) is moved
        plan.train(np.arange(20), 0, 0, np.full(3, 1e-2))
        (outputs,) = plan.evaluate("train").outputs.values()
        found.append((plan.tensors(), outputs))
    assert same(found[0][0], found[1][0])
    assert found[0][1].tobytes() == found[1][1].tobytes()
