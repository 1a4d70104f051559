"""Sequences from a spec file to figures: training, evaluation, predictions, and going on."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

from nnctl.run.evaluate import evaluate
from nnctl.run.heads import Head
from nnctl.run.predicting import predict
from nnctl.run.predictions import Predictions, as_csv, as_jsonl, as_npz, predicted
from nnctl.run.prepare import class_weights, prepare
from nnctl.run.session import resume, train
from nnctl.run.training import Terms
from nnctl.spec import load_spec
from nnctl.spec.info import TargetInfo
from tests.run.runs import final, stopping_at

SPEC = """
name = "steps"
[data]
source = "steps.npz"
split = { train = 0.75, test = 0.25, validation = 0.2 }
[[layers]]
type = "conv1d"
filters = 6
kernel_size = 2
padding = "causal"
activation = "tanh"
[[layers]]
type = "dense"
units = 3
[loss]
type = "cross_entropy"
class_weights = "balanced"
[optimizer]
type = "adam"
learning_rate = 0.05
[training]
epochs = 3
batch_size = 16
"""
REGRESSION = SPEC.replace("units = 3", "units = 2").replace('"cross_entropy"', '"mse"')
REGRESSION = REGRESSION.replace('class_weights = "balanced"\n', "")


def written(folder: Path, text: str = SPEC) -> Path:
    """Classes are those of the step before; every second sample is a step shorter."""
    stream = np.random.default_rng(2)
    x = stream.normal(size=(80, 5, 2))
    labels = np.argmax(np.concatenate([x, np.zeros((80, 5, 1))], axis=2), axis=2)
    labels = np.concatenate([labels[:, :1], labels[:, :-1]], axis=1)
    labels[::2, -1] = -1
    numbers = np.stack([10.0 + labels, 3.0 * labels - 50], axis=2)
    y = labels if text is SPEC else np.where(labels[:, :, None] < 0, np.nan, numbers)
    np.savez(folder / "steps.npz", x=x, y=y)
    (folder / "steps.toml").write_text(text)
    return folder / "steps.toml"


def test_classes_of_steps_from_spec_to_figures(tmp_path: Path) -> None:
    outcome = train(written(tmp_path), run_dir=tmp_path / "run", terms=Terms())
    path = outcome.run.path / "checkpoints" / "best.safetensors"
    found = evaluate(path)
    figures = found.metrics
    assert found.samples == 20
    assert figures["perplexity"] == pytest.approx(math.exp(figures["log_loss"]))  # type: ignore[arg-type]
    assert sum(row["support"] for row in found.per_class) == 5 * 20 - _uncounted(tmp_path)
    assert {"sample", "step", "true", "predicted"} <= set(found.mistakes[0])
    assert len(found.worst) == 10 and set(found.worst[0]["true"]) <= set("012")
    json.dumps(found.document("x"), allow_nan=False)
    assert outcome.summary["metrics"]["test"]["loss"] == figures["loss"]

    made = predict(path, ["test"])
    row = json.loads(next(as_jsonl(made)))
    assert len(row["class"]) == len(row["probability"]) == 5
    flat = next(csv.DictReader(io.StringIO("\n".join(as_csv(made)))))
    assert list(flat)[:2] == ["sample", "class_0"] and float(flat["probability_4"]) <= 1
    arrays = np.load(io.BytesIO(as_npz(made)))
    assert arrays["probabilities"].shape == (20, 5, 3)


def _uncounted(folder: Path) -> int:
    spec = load_spec(folder / "steps.toml")
    return int((prepare(spec).parts["test"].targets[""] < 0).sum())


def test_numbers_of_steps_in_their_own_units(tmp_path: Path) -> None:
    text = REGRESSION.replace("[[layers]]", "normalize_target = true\n[[layers]]", 1)
    text = text.replace("split = ", 'normalize = "standard"\nsplit = ')
    outcome = train(written(tmp_path, text), run_dir=tmp_path / "run", terms=Terms())
    path = outcome.run.path / "checkpoints" / "best.safetensors"
    made = predict(path, ["test"])
    numbers = json.loads(next(as_jsonl(made)))["prediction"]
    assert len(numbers) == 5 and all(9 < a < 13 and -53 < b < -40 for a, b in numbers)
    truth = prepare(load_spec(tmp_path / "steps.toml")).parts["test"].targets[""]
    errors = made.outputs[0].values - truth  # type: ignore[operator]
    assert evaluate(path).metrics["mae"] == pytest.approx(np.nanmean(abs(errors)), rel=1e-6)


def test_going_on_gives_the_bits_of_never_having_stopped(tmp_path: Path) -> None:
    spec = written(tmp_path)
    train(spec, run_dir=tmp_path / "whole", terms=Terms())
    train(spec, run_dir=tmp_path / "parts", terms=Terms(**stopping_at(4)))  # type: ignore[arg-type]
    resume(str(tmp_path / "parts"), terms=Terms())
    assert final(tmp_path / "parts") == final(tmp_path / "whole")


def test_balanced_weights_count_the_steps_that_count(tmp_path: Path) -> None:
    prepared = prepare(load_spec(written(tmp_path)))
    labels = prepared.parts["train"].targets[""]
    counts = [int((labels == k).sum()) for k in range(3)]
    found = class_weights(
        prepared.spec, prepared.graph, prepared.info, prepared.parts["train"]
    ).popitem()[1]
    assert found == pytest.approx([sum(counts) / (3 * count) for count in counts])


def test_what_is_not_finite_is_named_and_holes_are_not(tmp_path: Path) -> None:
    prepared = prepare(load_spec(written(tmp_path, REGRESSION)))
    plan, order = prepared.plan, np.arange(16)
    tensors = plan.tensors()
    tensors["param/dense_1.b"] = np.full_like(tensors["param/dense_1.b"], 1e30)
    plan.restore(tensors)  # outputs are finite, their squares are not
    assert plan.locate_nonfinite(order, 0, 0, 0.1) == "losses"


def test_numbers_of_several_columns_stand_step_by_step() -> None:
    head = Head("d", "", "", TargetInfo("number", 2, None, 3), "identity")
    found = predicted(head, np.arange(12.0).reshape(2, 6))
    made = Predictions(("a",), np.zeros(2, int), np.arange(2), (found,))
    assert json.loads(next(as_jsonl(made)))["prediction"] == [[0, 1], [2, 3], [4, 5]]
    header = next(as_csv(made)).split(",")
    assert header[:4] == ["sample", "prediction_0_0", "prediction_0_1", "prediction_1_0"]
