"""A trained encoder-decoder speaks by itself: predictions, metrics, beams, numbers with an end."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pytest

from nnctl.errors import UsageError
from nnctl.run.decoding import Manner
from nnctl.run.evaluate import compiled, evaluate, parts_now, read
from nnctl.run.predicting import predict
from nnctl.run.predictions import as_npz, rows
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph.networks import graph
from tests.run.runs import nnctl, train
from tests.spec.helpers import SPECS

WORDS = """
[data]
source = "words.tsv"
split = { train = 0.8, test = 0.2 }

[[layers]]
type = "encoder_decoder"
attention = { score = "dot" }

[[layers.encoder]]
type = "embedding"
units = 8
[[layers.encoder]]
type = "gru"
units = 16

[[layers.decoder]]
type = "embedding"
units = 8
[[layers.decoder]]
type = "gru"
units = 16
[[layers.decoder]]
type = "dense"
units = 6

[loss]
type = "cross_entropy"

[optimizer]
type = "adam"
learning_rate = 0.02

[training]
epochs = 6
threads = 1
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Records whose target is the input without its vowels, twice: of another length."""
    folder = tmp_path_factory.mktemp("words")
    stream = np.random.default_rng(0)
    lines = ["input\ttarget"]
    for _ in range(300):
        word = "".join(stream.choice(list("abcdu"), stream.integers(2, 6)))
        bare = "".join(sign for sign in word if sign not in "au") or "b"
        lines.append(f"{word}\t{bare}{bare[0]}")
    (folder / "words.tsv").write_text("\n".join(lines) + "\n")
    (folder / "spec.toml").write_text(
        WORDS.replace('"words.tsv"', '"words.tsv"\ntokens = "character"').replace(
            "units = 6", "units = 5"
        )
    )
    train(folder / "spec.toml", folder / "run")
    return folder / "run"


def checkpoint(run):
    return run / "checkpoints" / "latest.safetensors"


def test_metrics_are_of_what_it_says_itself(run):
    path = checkpoint(run)
    stored = read(path)
    found = evaluate(path, split="test")
    said = [row["prediction"] for row in rows(predict(path, ["test"]))]
    samples = [row["sample"] for row in rows(predict(path, ["test"]))]
    lines = (run.parent / "words.tsv").read_text().splitlines()[1:]
    true = [lines[k].split("\t")[1] for k in samples]
    right = np.mean([a == b for a, b in zip(said, true, strict=True)])
    assert found.metrics["exact_match"] == pytest.approx(right)
    assert 0 < right < 1, "the comparison needs some of both"
    assert stored.heads[0].feeds == "encoder_decoder_1.previous"


def test_edit_distance_is_that_of_the_texts(run):
    path = checkpoint(run)
    found = evaluate(path, split="test").metrics["edit_distance"]
    table = rows(predict(path, ["test"]))
    lines = (run.parent / "words.tsv").read_text().splitlines()[1:]
    shares = []
    for row in table:
        true = lines[row["sample"]].split("\t")[1]
        shares.append(_edits(row["prediction"], true) / len(true))
    assert found == pytest.approx(np.mean(shares))


def _edits(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, sign in enumerate(a, 1):
        last, row = row, [i]
        for j, other in enumerate(b, 1):
            row.append(min(last[j] + 1, row[-1] + 1, last[j - 1] + (sign != other)))
    return row[-1]


def test_a_prediction_is_the_likeliest_step_at_a_time(run):
    """What is said, fed to the network whole, is what it finds likeliest at every step."""
    path = checkpoint(run)
    found = predict(path, ["test"]).outputs[0]
    assert found.labels is not None and found.logs is not None
    stored = read(path)
    part, plan = parts_now(stored)["test"], compiled(stored, None, 1)
    plan.attach("again", part.inputs, {"target": found.labels, "": found.labels}, part.lengths)
    (outputs,) = plan.evaluate("again").outputs.values()
    plan.close()
    logits = outputs.reshape(*found.labels.shape, -1)[:, :, 1:].astype(np.float64)
    there = found.labels >= 0
    assert np.array_equal(np.argmax(logits, axis=2)[there] + 1, found.labels[there])
    logs = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    own = np.take_along_axis(logs, np.maximum(found.labels - 1, 0)[..., None], axis=2)[..., 0]
    assert np.allclose(np.where(there, own, 0).sum(axis=1), found.logs, atol=1e-5)


def test_beams_find_likelier_sequences(run):
    path = checkpoint(run)
    greedy, wide = (
        predict(path, ["test"], manner=Manner(beams)).outputs[0].logs for beams in (1, 8)
    )
    assert (wide >= greedy - 1e-5).all()
    assert (wide > greedy + 1e-3).any()
    better = evaluate(path, split="test", manner=Manner(8)).metrics
    assert better["loss"] == evaluate(path, split="test").metrics["loss"]


def test_lengths_are_limited(run):
    path = checkpoint(run)
    found = predict(path, ["test"], manner=Manner(1, 2)).outputs[0]
    assert found.labels.shape[1] == 2
    with pytest.raises(UsageError, match="longer than what the network says at most"):
        predict(path, ["test"], manner=Manner(1, 99))


def test_beams_are_of_symbols():
    layers = 'encoder_decoder encoder=[{type="gru",units=2}] '
    layers += 'decoder=[{type="gru",units=2},{type="dense",units=1}]'
    info = DataInfo({"": (3, 2)}, {"": TargetInfo("number", 1, steps=2)}, 9)
    numbers = graph(layers, '[loss]\ntype="mse"\n', info)
    with pytest.raises(UsageError, match="this network says numbers"):
        Manner(2).check(numbers)
    Manner(1, 2).check(numbers)


def test_forms_of_a_prediction(run):
    path = checkpoint(run)
    found = predict(path, ["test"])
    with np.load(BytesIO(as_npz(found))) as archive:
        assert archive["text"].dtype.kind == "U"
        assert archive["class"].shape == found.outputs[0].labels.shape
    out = nnctl("predict", str(path), "test", "--beams", "2", "--format", "jsonl", cwd=run.parent)
    first = json.loads(out.stdout.splitlines()[0])
    assert set(first) == {"sample", "prediction", "log_probability"}


def test_other_files_are_answered(run, tmp_path):
    (tmp_path / "new.tsv").write_text("input\nabc\nddu\n")
    found = rows(predict(checkpoint(run), [str(tmp_path / "new.tsv")]))
    assert [row["sample"] for row in found] == [0, 1]


def test_ends_of_numbers_are_those_of_the_predictions(tmp_path):
    few = ("training.threads=1", "training.epochs=15", "data.source.samples=400")
    few += ("optimizer.learning_rate=0.02",)
    train(SPECS / "ringdown_stop_head.toml", tmp_path / "run", *few)
    path = checkpoint(tmp_path / "run")
    (said,) = predict(path, ["test"]).outputs
    truth = parts_now(read(path))["test"].targets[""]
    said_steps, true_steps = ((~np.isnan(a[:, :, 0])).sum(axis=1) for a in (said.values, truth))
    found = evaluate(path, split="test").metrics
    assert found["length_error"] == pytest.approx(np.abs(said_steps - true_steps).mean())
    assert len(set(said_steps.tolist())) > 1


@pytest.mark.parametrize("spec", ["dates_attention", "ringdown_stop_head"])
def test_features_of_a_decoder_are_along_what_it_says(spec, tmp_path):
    """The last layer's features are the outputs that what was said comes from."""
    few = ("training.threads=1", "training.epochs=3", "data.source.samples=200")
    train(SPECS / f"{spec}.toml", tmp_path / "run", *few)
    path = checkpoint(tmp_path / "run")
    (said,) = predict(path, ["test"]).outputs
    (given,) = predict(path, ["test"], layer="encoder_decoder_1").features.values()
    (states,) = predict(path, ["test"], layer="encoder_decoder_1.decoder.gru_1").features.values()
    if said.labels is None:
        there = ~np.isnan(said.values[:, :, 0])
        assert np.allclose(given[there], said.values[there], atol=1e-6)
    else:
        there = said.labels >= 0
        given[:, :, 0] = -np.inf  # the start is never said
        assert np.array_equal(np.argmax(given, axis=2)[there], said.labels[there])
    steps = there.sum(axis=1)
    assert (steps > 1).all() and (np.abs(states).sum(axis=2) > 0).sum() == steps.sum()
