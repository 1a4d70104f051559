"""``nnctl verify`` on real networks: it agrees, it finds a planted fault, it shows a step."""

import json

import numpy as np
import pytest

from nnctl.cli.app import run
from nnctl.run.verify import inspected
from nnctl.spec import load_spec

pytestmark = pytest.mark.usefixtures("here")

# Larger than one task of a flat pass, with both penalties, dropout, a tie, and two activations.
LARGE = """
[data]
source = "iris"
normalize = "standard"
[[layers]]
name = "wide"
type = "dense"
units = 96
activation = "relu"
[[layers]]
type = "dropout"
[[layers]]
name = "deep"
type = "dense"
units = 96
activation = "gelu"
l1 = 1e-3
[[layers]]
name = "again"
type = "dense"
units = 96
share = "deep"
[[layers]]
type = "dense"
units = 3
[loss]
type = "cross_entropy"
label_smoothing = 0.1
class_weights = "balanced"
[regularization]
l2 = 0.01
[optimizer]
type = "sgd"
[training]
gradient_norm_below = 1e-9
"""


@pytest.fixture
def large(here):
    path = here / "large.toml"
    path.write_text(LARGE)
    return str(path)


def test_every_parameter_of_a_large_network_agrees(capsys, large):
    assert run(["verify", large, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"]
    checked = {row["parameter"]: row for row in found["parameters"]}
    assert checked["deep.w"]["elements"] == 256 and checked["wide.b"]["elements"] == 96
    assert all(row["worst"]["error"] < 1e-5 for row in checked.values())
    assert "again.w" not in checked  # it is the parameter of deep


def test_several_outputs(capsys):
    assert run(["verify", "pets.toml"]) == 0
    assert "elements agree" in capsys.readouterr().out


def test_a_planted_fault_is_named_and_ends_in_1(capsys, large, monkeypatch):
    from nnctl.plan import Plan

    honest = Plan.gradients

    def spoiled(self, *args, **more):
        loss, gradients = honest(self, *args, **more)
        gradients["wide.b"][7] *= 1.01
        return loss, gradients

    monkeypatch.setattr(Plan, "gradients", spoiled)
    assert run(["verify", large]) == 1
    error = capsys.readouterr().err
    assert "the gradient of wide.b disagrees in 1 of 96 elements; worst wide.b[7]" in error


def test_what_is_below_an_estimator_is_left_out(capsys, here):
    text = LARGE.replace('"gelu"', '{ type = "sign", straight_through = true }')
    (here / "sign.toml").write_text(text)
    assert run(["verify", "sign.toml", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["parameters"]
    left_out = {row["parameter"] for row in rows if row["skipped"]}
    assert {"wide.w", "deep.w"} <= left_out and "dense_4.w" not in left_out


def test_a_step_by_hand(capsys):
    """The delta rule on one sample of softmax regression, worked out with NumPy."""
    assert run(["verify", "iris.toml", "--trace", "5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    source, dense = found["nodes"]
    network = inspected(load_spec("iris.toml"))
    x, label = np.array(source["y"]), network.part.targets[""][5]
    mean, scale = network.normalizer.inputs[""]
    assert x == pytest.approx((network.part.inputs[""][5] - mean) * scale)
    s = x @ np.array(dense["w"]) + np.array(dense["b"])
    p = np.exp(s) / np.exp(s).sum()
    delta = p - np.eye(3)[label]
    assert dense["y"] == pytest.approx(s)
    assert dense["dy"] == pytest.approx(delta)
    assert np.array(dense["dw"]) == pytest.approx(np.outer(x, delta))
    assert dense["db"] == pytest.approx(delta)
    assert found["loss"] == pytest.approx(-np.log(p[label]))


def test_a_step_as_text(capsys, large):
    assert run(["verify", large, "--trace", "0"]) == 0
    text = capsys.readouterr().out
    for part in ("forward", "signal  s = ", "y = relu(s) = ", "loss = ", "penalty = ", "dE/dw = "):
        assert part in text
    assert max(map(len, text.splitlines())) < 120


def test_no_such_sample(capsys):
    assert run(["verify", "iris.toml", "--trace", "112"]) == 2
    assert "the training part has 0 to 111" in capsys.readouterr().err
