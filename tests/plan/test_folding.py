"""Batch norm moved into the weights of the convolution before it, in evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.plan import Plan
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph import networks
from tests.plan.nets import ADAM, data_of, net, plan_of

INFO = DataInfo({"": (7, 9, 3)}, {"": TargetInfo("class", 3)}, 100)
END = "flatten\ndense units=3"
NETS = {
    "plain": f'conv2d name="c" filters=5 kernel_size=3\nbatch_norm name="n"\nrelu\n{END}',
    "without a bias": f'conv2d name="c" filters=33 kernel_size=2 bias=false\n'
    f'batch_norm name="n"\n{END}',
    "groups": f'conv2d name="c" filters=51 kernel_size=3 groups=3\nbatch_norm name="n"\n{END}',
    "turned": f'conv2d name="c" filters=4 kernel_size=3 flip_kernel=true\n'
    f'batch_norm name="n" scale=false\n{END}',
    "without a shift": f'conv2d name="c" filters=6 kernel_size=3 stride=2 padding="same"\n'
    f'batch_norm name="n" shift=false\n{END}',
}


def made(layers: str, **options: Any) -> Plan:
    graph, optimizer = net(layers, INFO, networks.LOSS + ADAM)
    plan = plan_of(graph, optimizer, **options)
    stream = np.random.default_rng(7)
    held = {n: a for n, a in plan.tensors().items() if n.startswith("state/")}
    random = {n: stream.uniform(0.5, 2.0, a.shape) for n, a in held.items()}
    trained = {
        f"param/{n}": stream.normal(1, 0.5, p.shape) if p.kind == "norm" else plan.parameters()[n]
        for n, p in graph.parameters.items()
    }
    plan.restore({**trained, **random})
    plan.attach("train", *data_of(INFO))
    return plan


def kernels(plan: Plan) -> list[str]:
    tape = plan.tapes.evaluation(losses=True)
    tapes = [one for one in (tape.first, tape) if one is not None]
    return [step.kernel.name for one in tapes for step, _ in one.single_steps()]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETS)
def test_outputs_are_those_of_the_two_layers(name: str, dtype: str) -> None:
    plan = made(NETS[name], dtype=dtype)
    found = plan.evaluate("train")
    assert "norm_fold" in kernels(plan) and "batch_apply" not in kernels(plan)
    held, one = plan.tensors(), plan.parameters()
    x = plan.features("train", np.arange(20), "c").astype(np.float64)
    mean, var = (held[f"state/n.running_{n}"].astype(np.float64) for n in ("mean", "var"))
    y = (x.reshape(20, -1, len(mean)) - mean) / np.sqrt(var + 1e-5)
    y = y * one.get("n.gamma", 1.0) + one.get("n.beta", 0.0)
    y = y.reshape(20, -1)
    y = np.maximum(y, 0) if "relu" in NETS[name] else y
    wanted = y @ one["dense_1.w"].astype(np.float64) + one["dense_1.b"]
    bound = 2e-5 if dtype == "float32" else 1e-11
    (outputs,) = found.outputs.values()
    np.testing.assert_allclose(outputs, wanted, rtol=bound, atol=bound)


@pytest.mark.parametrize(
    "layers",
    [
        'conv2d name="c" filters=4 kernel_size=3\nbatch_norm name="n"\nadd from=["c", "n"]',
        'tanh\nbatch_norm name="n"',
        'batch_norm name="n"',
    ],
)
def test_what_others_read_is_left_as_it_is(layers: str) -> None:
    plan = made(f"{layers}\n{END}")
    plan.evaluate("train")
    assert "norm_fold" not in kernels(plan) and "batch_apply" in kernels(plan)


def test_the_layer_itself_can_be_asked_for() -> None:
    plan = made(NETS["plain"])
    before = plan.features("train", np.arange(4), "c")
    plan.evaluate("train")
    assert plan.features("train", np.arange(4), "c").tobytes() == before.tobytes()
    assert not np.allclose(plan.features("train", np.arange(4), "n"), before)
