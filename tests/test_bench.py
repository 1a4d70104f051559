"""The benchmark: what its rows say, that sides which differ are an error, that time is fair.

A second plan of our own stands in for the peer, so that no torch is needed here.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.errors import UsageError
from tests.bench import accuracy, command, memory, peer, timing
from tests.bench.agreement import BOUND, Disagreement, compare
from tests.bench.draw import draw
from tests.bench.memory import peak_bytes
from tests.bench.ours import Ours, read
from tests.bench.rows import Row, table, verdict
from tests.bench.run import Options, run
from tests.bench.work import Work
from tests.bench.workloads import Entry

HERE = Path(command.__file__).parent
KEYS = ["workload", "threads", "ours_ms", "peer_ms", "peer", "ratio", "runs", "loss_difference"]
QUICK = Options(seconds=0.05)


class Twin(Ours):
    """A peer that is ours, with a spec of its own."""

    name, form = "twin", ""


def twin(workload: str, *overrides: str) -> Callable[[Work, int, bool], Any]:
    return lambda work, threads, form: Twin(read(workload, overrides), threads)


# -- agreement -----------------------------------------------------------------------------------


def test_losses_that_agree_and_losses_that_do_not() -> None:
    ours = np.array([2.0, 1.0, 0.0])
    assert compare(ours, ours) == 0.0
    assert compare(ours, ours * (1 + BOUND / 2)) == pytest.approx(BOUND / 2, rel=1e-3)
    with pytest.raises(Disagreement, match="loss 1: ours 1, peer 1.001"):
        compare(ours, np.array([2.0, 1.001, 0.5]))
    for wrong in (np.nan, np.inf):
        with pytest.raises(Disagreement, match="loss 2"):
            compare(ours, np.array([2.0, 1.0, wrong]))
    with pytest.raises(Disagreement):
        compare(np.array([np.nan]), np.array([np.nan]))


def test_a_row_of_sides_that_agree() -> None:
    row = run(Entry("tiny"), QUICK, twin("tiny"))
    assert row.error == "" and list(row.to_json()) == KEYS
    assert row.workload == "tiny" and row.threads == 2 and row.peer == "twin"
    assert row.runs > 0 and row.loss_difference == 0.0
    assert row.ratio == row.peer_ms / row.ours_ms  # type: ignore[operator]


def test_every_mode_is_a_row() -> None:
    for mode in ("infer", "one"):
        row = run(Entry("tiny", mode, 1), QUICK, twin("tiny"))
        assert row.error == "" and row.workload == f"tiny:{mode}@1"


def test_symbols_are_compared_before_they_are_timed() -> None:
    entry = Entry("charrnn", "decode", 1)
    row = run(entry, QUICK, twin("charrnn"))
    assert row.error == "" and row.runs > 0
    other = 'layers.1.nonlinearity="relu"'
    assert "differ" in run(entry, QUICK, twin("charrnn", other)).error


@pytest.mark.parametrize(
    "changed",
    [
        "layers.0.activation=gelu",
        "optimizer.learning_rate=0.0015",
        "optimizer.beta2=0.9",
        "training.seed=1",
        "layers.1.bias=false",
        "regularization.l2=0.05",
        "training.shuffle=false",
    ],
)
def test_a_peer_that_computes_something_else_is_an_error(changed: str) -> None:
    overrides = [changed.replace("=gelu", '="gelu"')]
    row = run(Entry("tiny"), QUICK, twin("tiny", *overrides))
    assert "relative difference" in row.error
    assert row.ratio is None and verdict(row, 1.0) == "error"


def test_an_evaluation_that_differs_is_an_error() -> None:
    row = run(Entry("tiny", "infer"), QUICK, twin("tiny", 'layers.0.activation="elu"'))
    assert "relative difference" in row.error


def test_dropout_is_off_while_losses_are_compared() -> None:
    """Masks differ between the sides, so a comparison with them would be an error."""
    seed = next(s for s in range(50) if "dropout" in draw("dense", s))
    made: list[Twin] = []

    def make(work: Work, threads: int, form: str) -> Any:
        rates = {n["fields"]["rate"] for n in work.network["nodes"] if n["op"] == "dropout"}
        overrides = [] if rates - {0.0} else _without_dropout(seed)
        made.append(Twin(read("random_dense", overrides, seed), threads))
        return made[-1]

    options = Options(seconds=0.05, seed=seed)
    row = run(Entry("random_dense"), options, make)
    assert row.error == "" and row.loss_difference == 0.0 and len(made) == 2


def _without_dropout(seed: int) -> list[str]:
    layers = read("random_dense", seed=seed).layers
    return [f"layers.{k}.rate=0.0" for k, layer in enumerate(layers) if layer.type == "dropout"]


# -- timing --------------------------------------------------------------------------------------


class Clock:
    """Time that passes only in the functions that are timed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.calls = 0.0, ""
        monkeypatch.setattr("time.perf_counter", lambda: self.now)
        monkeypatch.setattr("time.sleep", lambda seconds: None)

    def side(self, letter: str, seconds: float) -> Callable[[int], None]:
        def run(steps: int) -> None:
            self.calls += letter
            self.now += seconds * steps

        return run


def test_medians_of_runs_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    found = timing.interleave(clock.side("a", 0.001), clock.side("b", 0.003), seconds=2.0)
    assert found.ours_ms == pytest.approx(1.0) and found.peer_ms == pytest.approx(3.0)
    blocks = "".join(a for a, b in zip(clock.calls, clock.calls[1:] + ".", strict=True) if a != b)
    assert blocks == "ab" * (len(blocks) // 2) and len(blocks) >= 8
    assert found.runs >= 3 * 6


def test_the_first_run_of_a_block_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    costs = iter([9.0] + [0.1] * 99)

    def run(steps: int) -> None:
        clock.now += next(costs) * steps

    assert timing.block(run, 1) == [pytest.approx(0.1)] * 3


def test_a_run_is_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    assert timing.steps_a_run(clock.side("a", 1e-5)) == timing.RUN_SECONDS * 1e5
    assert timing.steps_a_run(clock.side("a", 5.0)) == 1


# -- command and text ----------------------------------------------------------------------------


def test_rows_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = Row("mlp", 2, 1.0, 1.2, "torch", 1.2, 30, 1e-6)
    bad = Row("tiny", 2, error="losses differ")
    rows = {"mlp": good, "tiny": bad}
    monkeypatch.setattr(peer, "is_installed", lambda: True)
    monkeypatch.setattr("tests.bench.run.run", lambda entry, options: rows[entry.name])
    assert command.main(["--json", "mlp"]) == 0
    assert [list(row) for row in json.loads(capsys.readouterr().out)] == [KEYS]
    assert command.main(["mlp", "--require-targets"]) == 5
    assert command.main(["mlp", "tiny"]) == 1
    shown = capsys.readouterr().out
    assert "missed" in shown and "error: tiny: losses differ" in shown


@pytest.mark.parametrize("arguments", [["nonsense"], ["--threads", "0"], ["--colour"]])
def test_usage_errors(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "is_installed", lambda: True)
    assert command.main(arguments) == 2


def test_without_torch_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peer, "find_spec", lambda name: None)
    assert command.main(["mlp"]) == 3
    assert "PyTorch, which is not installed: pip install '.[peers]'" in capsys.readouterr().err


def test_the_table_says_what_is_met() -> None:
    text = table([(Row("mlp", 2, 2.0, 3.0, "torch 2", 1.5, 9, 2e-6), 1.3), (Row("x", 1), None)])
    assert "1.50" in text and "met" in text and "peer: torch 2" in text


def test_torch_is_imported_in_one_folder_only_which_needs_nothing_of_ours() -> None:
    for path in HERE.rglob("*.py"):
        names = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for name in _imported(node)
        }
        if path.parent.name == "peer":
            assert "nnctl" not in names, path.name
        else:
            assert "torch" not in names, path.name


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


# -- memory --------------------------------------------------------------------------------------


def test_the_peak_counts_what_is_freed_again() -> None:
    code = "from tests.bench.memory import peak_bytes; a = peak_bytes(); b = bytearray(10**8)\n"
    code += "b[::4096] = b'x' * len(b[::4096]); del b; print(peak_bytes() - a)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=memory.ROOT, capture_output=True, text=True, check=True
    )
    assert 0.9e8 < float(done.stdout) < 1.5e8
    assert peak_bytes() > 0


def test_memory_of_ours_in_a_fresh_process() -> None:
    peak = memory._peak(["ours", "tiny", "1", "3", ""])
    assert 20 < peak < 2000


# -- accuracy ------------------------------------------------------------------------------------


def test_accuracies_apart_by_more_than_chance() -> None:
    found = accuracy.Accuracies("resnet20", 10, [0.5, 0.7], [0.7, 0.9])
    assert found.difference == pytest.approx(-0.2)
    assert found.error == pytest.approx((0.02 / 2 + 0.02 / 2) ** 0.5)
    assert found.is_met and "difference -0.2000, standard error 0.1414: met" in accuracy.text(found)
    worse = accuracy.Accuracies("resnet20", 10, [0.50, 0.52], [0.70, 0.72])
    assert not worse.is_met and "MISSED" in accuracy.text(worse)
    better = accuracy.Accuracies("resnet20", 10, worse.peer, worse.ours)
    assert better.is_met
    assert {"ours", "peer", "difference", "error"} <= set(found.to_json())


def test_the_recipe_fits_the_folder(tmp_path: Path) -> None:
    for name in ("train/cat", "train/dog", "test/cat", "test/dog"):
        (tmp_path / name).mkdir(parents=True)
    spec = read("resnet20", accuracy.recipe(tmp_path, 3, 7))
    assert spec.layers[-1].units == 2 and spec.training.epochs == spec.schedule.epochs == 3
    assert spec.training.seed == 7 and Path(spec.data.source) == tmp_path


def test_a_folder_without_parts_and_a_single_seed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one seed tells nothing"):
        accuracy.compare(tmp_path, 1, 1, 1, print)
    with pytest.raises(UsageError, match="has no train/ and test/"):
        accuracy.compare(tmp_path, 1, 2, 1, print)


# -- files ---------------------------------------------------------------------------------------


def test_work_is_the_same_in_a_file(tmp_path: Path) -> None:
    ours = Ours(read("tiny"), 1)
    work = ours.work()
    work.save(tmp_path / "work.npz")
    again = Work.load(tmp_path / "work.npz")
    assert again.network == work.network and again.batch == 16
    for table_name in ("parameters", "inputs", "targets"):
        mine, other = getattr(work, table_name), getattr(again, table_name)
        assert mine.keys() == other.keys()
        assert all((mine[k] == other[k]).all() and mine[k].dtype == other[k].dtype for k in mine)
    assert (again.orders == work.orders).all() and again.orders.shape[1] % 16 == 0
