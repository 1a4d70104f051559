"""``nnctl show``."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

from nnctl.spec import load_spec, load_spec_text

from .support import Nnctl

TABLE = """\
good

layer    type          shape  parameters   memory  forward  backward
-------  ------------  -----  ----------  -------  -------  --------
input    input             4           0    512 B        0         0
dense_1  dense + tanh      8          40  2.0 KiB       80        80
dense_2  dense             3          27    384 B       51       102

parameters  67
memory      3.9 KiB for batches of 32: outputs 2.9 KiB, parameters 268 B, gradients 268 B, \
optimizer 536 B (estimate)
FLOPs       131 forward, 182 backward, for a sample
loss        cross_entropy of dense_2
"""


def test_the_table(nnctl: Nnctl, spec: Path) -> None:
    ended = nnctl("show", spec)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == TABLE


def test_shapes_and_receptive_fields_of_convolutions(nnctl: Nnctl) -> None:
    path = Path(__file__).parents[2] / "specs" / "shapes_fig3.toml"
    rows = [line.split("  ") for line in nnctl("show", path).out.splitlines()[2:11]]
    table = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert table[0][2:5] == ["shape", "receptive field", "parameters"]
    assert [row[2:5] for row in table[3:]] == [
        ["26x26x9", "11x11", "3,276"],
        ["12x12x9", "13x13", "0"],
        ["6x6x3", "25x25", "1,326"],
        ["2x2x3", "29x29", "0"],
        ["12", "29x29", "0"],
        ["3", "33x33", "39"],
    ]
    found = nnctl("show", path, "--json").document["layers"]
    fields = [row["receptive_field"] for row in found]
    assert fields == [None, [11, 11], [13, 13], [25, 25], [29, 29], [29, 29], [33, 33]]


def test_the_document(nnctl: Nnctl, spec: Path) -> None:
    found = nnctl("show", spec, "--json", "--batch", "10").document
    assert [row["shape"] for row in found["layers"]] == ["4", "8", "3"]
    assert found["totals"]["parameters"] == 67
    assert found["totals"]["batch"] == 10
    assert found["totals"]["activation_bytes"] == 10 * 4 * (4 + 8 + 8 + 3)
    assert found["outputs"] == ["dense_2"]


def test_a_graph_shows_where_layers_read(nnctl: Nnctl) -> None:
    ended = nnctl("show", Path(__file__).parents[2] / "specs" / "iris_multi_branch.toml")
    header, _, first = ended.out.splitlines()[2:5]
    assert header.split()[-1] == "from"
    assert first.split()[0] == "input.sepal"


def test_resolved_is_a_spec(nnctl: Nnctl, spec: Path) -> None:
    text = nnctl("show", spec, "--resolved").out
    assert "learning_rate = 0.001" in text
    assert load_spec_text(text, "good.toml") == load_spec(spec)


def test_pictures(nnctl: Nnctl, spec: Path) -> None:
    assert xml.fromstring(nnctl("show", spec, "--graph", "svg").out).tag.endswith("svg")
    assert nnctl("show", spec, "--graph", "dot").out.startswith('digraph "good" {')
    assert nnctl("show", spec, "--graph", "png").status == 2


def test_what_is_not_there(nnctl: Nnctl, tmp_path: Path) -> None:
    assert nnctl("show", tmp_path / "none.toml").status == 2
    assert nnctl("show", tmp_path / "none").status == 6
    ended = nnctl("show", tmp_path / "none", "--set", "training.epochs=3")
    assert ended.status == 2
    assert "--set and --batch change a spec" in ended.err


def test_the_plan(nnctl: Nnctl, spec: Path) -> None:
    found = nnctl("show", spec, "--plan", "--json").document
    labels = [call["label"] for call in found["calls"]]
    assert labels.index("dense_1.forward") < labels.index("dense_2.forward")
    assert labels[-1] == "update"
    assert found["phases"] == found["calls"][-1]["phase"]
    assert {call["tasks"] for call in found["calls"]} >= {1}


def test_the_plan_as_text(spec: Path) -> None:
    from nnctl.cli import _plan
    from nnctl.cli._network import load_network
    from nnctl.plan.describe import CallRow, PlanRows

    calls = (CallRow(1, 1, "a.forward", "relu", 2, ("a.y",)), CallRow(1, 2, "b", "add", 1, ()))
    text = _plan.as_text(load_network(spec), PlanRows(calls, 32, "float32", 2, 1, 2048))
    assert text == (
        "good\n\n"
        "phase  call       kernel  tasks  writes\n"
        "-----  ---------  ------  -----  ------\n"
        "1.1    a.forward  relu        2  a.y\n"
        "1.2    b          add         1\n\n"
        "2 calls in 1 phases, 2 threads, batches of 32 in float32, 2.0 KiB for activations"
    )


SERIES = """\
[data]
source = { generate = "blobs", samples = 200, features = 30, classes = 3 }
[[layers]]
type = "reshape"
shape = [6, 5]
[[layers]]
type = "gru"
units = 8
returns = "last"
[[layers]]
type = "dense"
units = 3
[loss]
type = "cross_entropy"
"""


def test_unrolling(nnctl: Nnctl, tmp_path: Path) -> None:
    path = tmp_path / "series.toml"
    path.write_text(SERIES, encoding="utf-8")
    ended = nnctl("show", path)
    # A batch of 32, seven numbers of 4 bytes a unit.
    kept = "unrolling   gru_1 keeps 7.0 KiB a step for the way back, 49.0 KiB for 6 steps and the"
    assert f"{kept} start" in ended.out and "unrolling 49.0 KiB, parameters" in ended.out
    assert nnctl("show", path, "--json").document["layers"][2]["trace_bytes"] == 7 * 7168
    drawn = nnctl("show", path, "--unroll", "2", "--graph", "svg")
    texts = [
        text.text for text in xml.fromstring(drawn.out).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert {"gru_1 h0", "gru_1 h1", "gru_1 h2"} <= set(texts) and "gru_1 h3" not in texts


def test_steps_taken_again(nnctl: Nnctl, tmp_path: Path) -> None:
    path = tmp_path / "series.toml"
    path.write_text(SERIES, encoding="utf-8")
    ended = nnctl("show", path, "--set", "layers.1.gradient_checkpointing=true")
    kept = "30.0 KiB for 3 of 6 steps at a time, and the states between: 49.0 KiB without"
    assert f"{kept} gradient_checkpointing" in ended.out, ended.out


def test_unrolling_what_cannot_be(nnctl: Nnctl, spec: Path, tmp_path: Path) -> None:
    path = tmp_path / "series.toml"
    path.write_text(SERIES, encoding="utf-8")
    for given, said in {
        (spec, "2", "dot"): "no layer of this network is recurrent",
        (path, "7", "dot"): "--unroll expects 1 to 6 steps, given 7",
        (path, "2"): "add --graph svg or --graph dot",
    }.items():
        flags = ["--graph", given[2]] if len(given) > 2 else []
        ended = nnctl("show", given[0], "--unroll", given[1], *flags)
        assert ended.status == 2 and said in ended.err


@pytest.mark.parametrize("options", ["--graph svg --plan", "--resolved --plan"])
def test_what_is_shown_is_one_thing(nnctl: Nnctl, spec: Path, options: str) -> None:
    ended = nnctl("show", spec, *options.split())
    named = options.replace("svg", "").replace(" --plan", "and --plan").replace("dand", "d and")
    assert ended.status == 2 and f"{named} show different things" in ended.err
