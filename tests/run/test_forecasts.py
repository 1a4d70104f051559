"""A forecast from a spec to its figures: beside the last value carried forward, and of a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nnctl.run.evaluate import evaluate
from nnctl.run.networks import info_of_meta, info_to_meta
from nnctl.run.predicting import predict
from nnctl.spec.info import DataInfo, TargetInfo
from tests.run.runs import train

SPEC = Path(__file__).resolve().parents[2] / "specs" / "sunspots_forecast_mlp.toml"
SERIES = SPEC.parents[1] / "datasets" / "sunspots" / "sunspots.csv"


def test_sunspots_are_foreseen_better_than_by_the_last_year(tmp_path):
    outcome = train(SPEC, tmp_path / "run", "training.threads=1")
    metrics = outcome.summary["metrics"]["test"]
    assert set(metrics) == {"loss", "mae", "naive_mae", "skill"}
    # The mean change from one year to the next, 1947 on; known from the data alone.
    years = np.loadtxt(SERIES, delimiter=",", skiprows=1)[-62:, 1]
    assert np.isclose(metrics["naive_mae"], np.abs(np.diff(years))[21:].mean())
    assert metrics["skill"] > 0.15
    best = tmp_path / "run" / "checkpoints" / "best.safetensors"
    judged = evaluate(best, split="test").metrics
    assert np.isclose(judged["skill"], 1 - judged["mae"] / judged["naive_mae"])


def test_what_comes_after_a_file(tmp_path):
    overrides = ("training.threads=1", "training.epochs=2")
    train(SPEC, tmp_path / "run", *overrides)
    checkpoint = tmp_path / "run" / "checkpoints" / "latest.safetensors"
    rows = SERIES.read_text().splitlines()
    (tmp_path / "to_1799.csv").write_text("\n".join(rows[:101]) + "\n")
    found = predict(checkpoint, [str(tmp_path / "to_1799.csv")])
    assert len(found.sample) == 100 - 22 + 1
    (tmp_path / "last.csv").write_text("\n".join([rows[0], *rows[79:101]]) + "\n")
    alone = predict(checkpoint, [str(tmp_path / "last.csv")])
    assert alone.outputs[0].values.tolist() == found.outputs[0].values[-1:].tolist()


def test_a_checkpoint_says_which_inputs_hold_the_target() -> None:
    for held_by in (None, ("p", "r")):
        target = TargetInfo("number", 1, None, 4, 1, held_by)
        info = DataInfo({"p": (4, 1), "q": (4, 2), "r": (4, 1)}, {"": target}, 9)
        assert info_of_meta(json.loads(json.dumps({"info": info_to_meta(info)}))) == info


def test_a_target_that_is_not_read_stands_beside_its_last_value_too(tmp_path: Path) -> None:
    change = ("training.threads=1", "training.epochs=1", 'data.features=["year"]')
    outcome = train(SPEC, tmp_path / "run", *change)
    metrics = outcome.summary["metrics"]["test"]
    years = np.loadtxt(SERIES, delimiter=",", skiprows=1)[-62:, 1]
    assert np.isclose(metrics["naive_mae"], np.abs(np.diff(years))[21:].mean())
    best = tmp_path / "run" / "checkpoints" / "best.safetensors"
    assert evaluate(best, split="test").metrics["naive_mae"] == metrics["naive_mae"]
