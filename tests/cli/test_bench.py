"""``nnctl bench``: every layer has its line, the parts make up the step; times themselves vary."""

import json

import pytest

from nnctl.cli.app import run
from nnctl.graph.outline import outline
from nnctl.run.bench import bench
from nnctl.run.prepare import prepare
from nnctl.spec import load_spec

pytestmark = pytest.mark.usefixtures("here")

# A fan-out, a fused activation, running statistics, a penalty and the norm of the gradient.
LOSS = '[loss]\ntype = "cross_entropy"\n'
RICH = """
[data]
source = "iris"
normalize = "standard"
[[layers]]
name = "stem"
type = "dense"
units = 8
activation = "relu"
[[layers]]
name = "normed"
type = "batch_norm"
[[layers]]
type = "add"
from = ["stem", "normed"]
[[layers]]
type = "dense"
units = 3
[loss]
type = "cross_entropy"
[regularization]
l2 = 0.01
[training]
gradient_norm_below = 1e-9
"""


@pytest.fixture
def rich(here):
    path = here / "rich.toml"
    path.write_text(RICH)
    return str(path)


def test_every_layer_once_and_shares_of_one_whole(capsys, rich):
    assert run(["bench", rich, "--seconds", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema_version"] == 1
    names = [row["name"] for row in found["layers"]]
    assert names == ["input", "stem", "normed", "add_1", "dense_2"]
    assert [row["name"] for row in found["others"]] == ["loss", "penalty", "optimizer", "rest"]
    parts = [*found["layers"], *found["others"]]
    assert sum(row["share"] for row in parts) == pytest.approx(1.0)
    assert sum(row["ms"] for row in parts) == pytest.approx(found["calls_ms"])
    assert sum(row["ms"] for row in found["ops"]) == pytest.approx(found["calls_ms"])
    assert {"dense", "relu", "batch_norm", "add", "optimizer"} <= {r["op"] for r in found["ops"]}
    assert found["layers"][1]["type"] == "dense + relu"
    for row in found["layers"]:
        if row["gflops"] is not None:
            assert row["gflops"] > 0
    for key in ("step", "step_one_thread"):
        told = found[key]
        assert 0 < told["least_ms"] <= told["ms"] <= told["most_ms"]
        assert told["measurements"] == 3
        assert told["samples_per_second"] == pytest.approx(found["batch"] / told["ms"] * 1000)
    assert found["inference"]["samples_per_second"] > 0


def test_a_convolution_as_text(capsys, here):
    text = RICH.partition("[[layers]]")[0].replace('"iris"', '"digits"')
    text += (
        '[[layers]]\ntype = "conv2d"\nfilters = 4\nkernel_size = 3\nactivation = "relu"\n'
        '[[layers]]\ntype = "flatten"\n[[layers]]\ntype = "dense"\nunits = 10\n'
        '[loss]\ntype = "cross_entropy"\n'
    )
    (here / "conv.toml").write_text(text)
    assert run(["bench", "conv.toml", "--seconds", "0", "--threads", "2"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == "conv: batches of 32 in float32, 1,490 parameters"
    for name in ("input", "conv2d_1", "flatten_1", "dense_1", "loss", "optimizer"):
        assert sum(line.startswith(f"{name} ") for line in lines) == 1
    for start in ("calls ", "step ", "inference ", "by op "):
        assert sum(line.startswith(start) for line in lines) == 1


def test_all_calls_of_a_step_belong_somewhere(rich):
    """Nothing but the beginning of a step is left over."""
    from nnctl.plan.timing import Timer
    from nnctl.run.timings import break_down

    prepared = prepare(load_spec(rich))
    try:
        labels = [step.label for step in Timer(prepared.plan, [0] * 32).calls]
        seconds = [float(label != "begin") for label in labels]
        graph, planned = prepared.graph, prepared.plan.graph
        parts = break_down(graph, planned, 32, "adam", labels, seconds)
    finally:
        prepared.plan.close()
    assert {part.name: part.seconds for part in parts.others}["rest"] == 0.0
    assert parts.seconds == len(labels) - 1
    assert [part.name for part in parts.layers] == [layer.name for layer in outline(graph)]
    assert parts.ops["split"] > 0


def test_parameters_stay_what_they_were(rich, monkeypatch):
    from nnctl.plan import Plan

    kept = []
    close = Plan.close
    monkeypatch.setattr(Plan, "close", lambda self: (kept.append(self.parameters()), close(self)))
    spec = load_spec(rich)
    bench(spec, threads=1, seconds=0.0)
    from nnctl.init import initialize

    started = prepare(spec)
    for name, value in initialize(started.graph, spec.training.seed).items():
        assert (kept[0][name] == value.astype(kept[0][name].dtype)).all(), name
    started.plan.close()


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["nope.toml"], 2, "nope.toml"),
        (["iris.toml", "--set", 'data.source="./nope.csv"'], 3, "nope.csv"),
        (["iris.toml", "--seconds", "-1"], 2, "-1"),
        (["steep.toml"], 4, "not finite"),
    ],
)
def test_mistakes(capsys, here, argv, status, message):
    layer = '[[layers]]\ntype = "dense"\nunits = 3\ninit = { type = "constant", value = 1e6 }\n'
    (here / "steep.toml").write_text(RICH.partition("[[layers]]")[0] + 8 * layer + LOSS)
    assert run(["bench", *argv]) == status
    assert message in capsys.readouterr().err
