"""Outputs and gradients of single layers are those of PyTorch (``make_layers.py``)."""

import json
from pathlib import Path

import numpy as np
import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.checks.machine import engine
from tests.checks.setting import Data, Setting
from tests.goldens.layers import CASES
from tests.graph import networks
from tests.plan.nets import ADAM, net, plan_of
from tests.vectors.case import OpCase

GOLDENS = json.loads((Path(__file__).parent / "layers.json").read_text())
LAYERS = GOLDENS["layers"]
# The goldens have seven digits.
TOLERANCE = {"float64": 6e-7, "float32": 1e-5}
# fields that came after the goldens, as their defaults
LATER = {"recurrent_dropout": 0.0, "layer_norm": False, "peepholes": False, "reset": "after"}


def found(case, dtype, **spoiled):
    shape = tuple(LAYERS[case.id]["shape"])
    states = {}
    if case.tag == "batch_norm":
        states = {n: np.ones(case.shape[-1]) for n in ("running_mean", "running_var")}
    op = OpCase(
        case.tag,
        (case.shape,),
        shape,
        None,
        {**LATER, **case.fields},
        case.params,
        case.batch,
        states=states,
    )
    x, params = case.given()
    data = Data([x], params | spoiled, [case.upstream((case.batch, *shape))])
    return engine(op, data, Setting(dtype=dtype)).arrays()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_output_and_gradients(case, dtype):
    compare(case, dtype)


def compare(case, dtype, **spoiled):
    golden, arrays = LAYERS[case.id], found(case, dtype, **spoiled)
    assert set(golden) - {"shape"} == set(arrays)
    for name, array in arrays.items():
        wanted = np.reshape(golden[name], array.shape)
        bound = TOLERANCE[dtype] * np.abs(wanted).max()
        np.testing.assert_allclose(array, wanted, rtol=0, atol=bound, err_msg=name)


def test_every_case_has_its_golden():
    assert [case.id for case in CASES] == list(LAYERS)
    for golden in LAYERS.values():
        assert all(np.ptp(golden[name]) > 0 for name in ("y", "dx0"))


def test_the_comparison_can_fail():
    """Weights whose layout is another one, of the same shape, are found out."""
    case = next(c for c in CASES if c.tag == "conv2d_transpose")
    turned = np.swapaxes(case.given()[1]["w"], 0, 1)
    with pytest.raises(AssertionError, match="y"):
        compare(case, "float64", w=turned)


@pytest.mark.parametrize("tag", ["lstm", "gru"])
@pytest.mark.parametrize("name", ["w", "u", "b"])
def test_gates_in_another_order_are_found_out(tag, name):
    case = next(c for c in CASES if c.tag == tag)
    given, units = case.given()[1][name], case.fields["units"]
    gates = given.reshape(-1, given.shape[-1] // units, units)
    exchanged = gates[:, [1, 0, *range(2, gates.shape[1])]]
    with pytest.raises(AssertionError, match="y"):
        compare(case, "float64", **{name: exchanged.reshape(given.shape)})


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.tag == "batch_norm"], ids=lambda case: case.id
)
def test_running_statistics(case):
    """PyTorch's variance is that of n - 1, ours that of n; the decay is 1 - its momentum."""
    decay, (x, _) = case.fields["running_decay"], case.given()
    info = DataInfo({"": case.shape}, {"": TargetInfo("class", 3)}, case.batch)
    layers = f'batch_norm name="n" running_decay={decay}\n'
    layers += ("flatten\n" if len(case.shape) > 1 else "") + "dense units=3"
    graph, optimizer = net(layers, info, networks.LOSS + ADAM)
    plan = plan_of(graph, optimizer, batch=case.batch)
    plan.attach("train", {"": x}, {"": np.zeros(case.batch, dtype=np.int64)})
    plan.train(np.arange(case.batch), 0, 0, np.full(1, 1e-3))
    kept = plan.tensors()
    mean, var = (np.array(a) for a in GOLDENS["running"][case.id])
    count = x[..., 0].size
    batch = (var - decay) / (1 - decay) * (count - 1) / count
    np.testing.assert_allclose(kept["state/n.running_mean"], mean, rtol=1e-5)
    np.testing.assert_allclose(kept["state/n.running_var"], decay + (1 - decay) * batch, rtol=1e-5)
    assert not np.allclose(kept["state/n.running_var"], var, rtol=1e-5)
    plan.close()
