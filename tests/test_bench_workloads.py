"""The benchmark's workloads: names of rows, targets, spec files, random networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nnctl.errors import UsageError
from nnctl.graph import build
from nnctl.spec import load_spec
from nnctl.spec.registry import tags
from tests.bench import command
from tests.bench.draw import GRAMMARS, draw
from tests.bench.ours import read
from tests.bench.workloads import SPECS, TARGETS, Entry, available, choose, planned

# -- names and targets ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("mlp", Entry("mlp", "train", 2)),
        ("mlp@1", Entry("mlp", "train", 1)),
        ("mlp:infer", Entry("mlp", "infer", 2)),
        ("mlp:infer@1", Entry("mlp", "infer", 1)),
        ("mlp:one@3", Entry("mlp", "one", 3)),
        ("random_dense", Entry("random_dense")),
    ],
)
def test_a_name_is_a_row(name: str, entry: Entry) -> None:
    assert choose([name]) == [entry]
    assert entry.name == name


def test_threads_hold_for_names_that_do_not_say_theirs() -> None:
    assert [e.name for e in choose(["mlp", "mlp@2"], threads=1)] == ["mlp@1", "mlp"]
    assert {e.threads for e in choose([], threads=1)} == {1}


def test_without_names_all_rows_are_run_and_patterns_choose_among_them() -> None:
    names = [entry.name for entry in choose([])]
    assert {"tiny", "tiny@1", "mlp", "mlp@1", "mlp:infer", "random_dense"} <= set(names)
    assert len(names) == len(set(names))
    assert [e.name for e in choose(["mlp*@1"])] == ["mlp@1", "mlp:infer@1", "mlp:one@1"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mlpp", "no workload 'mlpp'"),
        ("mlp:fast", "'mlp:fast' names no row"),
        ("mlp@0", "'mlp@0' names no row"),
        ("nothing*", "no row is like 'nothing*'"),
    ],
)
def test_strange_names_are_refused(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("*", r"\*")):
        choose([name])


def test_planned_workloads_wait_for_their_spec_file(tmp_path: Path) -> None:
    waiting = planned(["dense", "conv2d"], tmp_path)
    assert set(waiting) == set(TARGETS)
    assert waiting["lenet"] == ["max_pool2d"] and waiting["mlp"] == []
    (tmp_path / "lenet.toml").write_text("")
    assert "lenet" not in planned([], tmp_path) and available(tmp_path)[0] == "lenet"
    with pytest.raises(UsageError, match="no workload 'mlp' yet"):
        choose(["mlp"], specs=tmp_path)


def test_targets() -> None:
    assert Entry("tiny").target == 25 and Entry("mlp", "train", 1).target == 1.3
    assert Entry("random_dense").target == pytest.approx(0.8 * 1.3)
    assert Entry("random_conv", "infer").target == pytest.approx(0.8 * 1.4)
    assert Entry("random_recurrent").target == pytest.approx(0.8 * 1.3)
    assert Entry("seqgru").target == 5 and Entry("seqgru", "one").target == 5
    assert Entry("charlstm", "one").target == 5 and Entry("charlstm").target == 1.6
    assert Entry("lenet", "infer").target == 2 and Entry("mlp", "infer").target is None
    assert Entry("other").target is None and Entry("random_dense", "infer").target is None


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in TARGETS)
    for name, needs in planned(tags("layers")).items():
        line = next(line for line in listed.splitlines() if line.startswith(name))
        assert "not yet" in line and all(tag in line for tag in needs)


# -- specs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.toml")), ids=lambda p: p.stem)
def test_spec_files_are_whole(path: Path) -> None:
    spec = load_spec(path)
    assert spec.name == path.stem
    _graph(spec)


DRAWN = {
    "dense": {"dense", "add", "concat", "multiply", "dropout", "relu", "gelu"},
    "conv": {"conv2d", "depthwise_conv2d", "batch_norm", "max_pool2d", "avg_pool2d", "add",
             "concat", "dropout", "relu", "gelu", "flatten", "global_avg_pool"},
    "recurrent": {"rnn", "lstm", "gru", "concat", "dropout"},
}  # fmt: skip


@pytest.mark.parametrize("family", GRAMMARS)
def test_random_networks_are_legal_and_a_function_of_the_seed(family: str) -> None:
    texts = [draw(family, seed) for seed in range(25)]
    assert len(set(texts)) == 25 and texts[3] == draw(family, 3)
    ops = set()
    for seed in range(25):
        ops |= {node.op for node in _graph(read(f"random_{family}", seed=seed)).nodes}
    assert DRAWN[family] <= ops


def _graph(spec: Any) -> Any:
    from nnctl.data import header

    return build(spec, header.inspect(spec.data, spec.base_dir))
