"""Tokens from a file to an embedding: the vocabulary, normalization, and what is none of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnctl.errors import DataError, SpecError
from nnctl.run.evaluate import evaluate
from nnctl.run.predicting import predict
from nnctl.run.prepare import prepare
from nnctl.run.session import train
from nnctl.run.training import Terms
from nnctl.spec import load_spec

SPEC = """
name = "tokens"
[data]
source = "train.npz"
test = "test.npz"
normalize = "standard"
inputs = { words = "words", numbers = "numbers" }
target = "y"
[[layers]]
type = "embedding"
name = "e"
from = "input.words"
units = 4
[[layers]]
type = "flatten"
name = "f"
[[layers]]
type = "concat"
from = ["f", "input.numbers"]
[[layers]]
type = "dense"
units = 2
[loss]
type = "cross_entropy"
[training]
epochs = 2
"""


def written(folder: Path, *changes: tuple[str, str], last: int = 5) -> Path:
    stream = np.random.default_rng(0)
    for name, count in (("train", 40), ("test", 10)):
        words = stream.integers(0, 6, (count, 3))
        words[:6, 0] = np.arange(6)
        words[7, 2] = last if name == "test" else 5
        numbers, y = 10 + stream.normal(size=(count, 2)), words[:, 0] % 2
        np.savez(folder / f"{name}.npz", words=words, numbers=numbers, y=y)
    text = SPEC
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "tokens.toml").write_text(text)
    return folder / "tokens.toml"


def test_tokens_are_not_normalized_and_numbers_are(tmp_path: Path) -> None:
    prepared = prepare(load_spec(written(tmp_path)))
    assert prepared.normalizer.inputs["words"] is None
    assert prepared.normalizer.inputs["numbers"] is not None
    assert prepared.graph.parameters["e.w"].shape == (6, 4)
    shown = prepared.plan.features("train", None, "e")
    tensors = prepared.plan.tensors()
    tensors["param/e.w"] = np.arange(24.0).reshape(6, 4)
    prepared.plan.restore(tensors)
    shown = prepared.plan.features("train", None, "e")
    words = prepared.parts["train"].inputs["words"]
    assert np.array_equal(shown, np.arange(24.0).reshape(6, 4)[words])


@pytest.mark.parametrize("last", [6, -1])
def test_a_token_outside_is_refused_before_training(tmp_path: Path, last: int) -> None:
    spec = written(tmp_path, last=last)
    with pytest.raises(DataError) as caught:
        train(spec, run_dir=tmp_path / "run", terms=Terms())
    (problem,) = caught.value.problems
    assert problem.file == str(tmp_path / "test.npz")
    said = f'sample 7: token {last} at step 2 of input "words" is outside the vocabulary of 6'
    assert problem.message == said and problem.hint
    assert not (tmp_path / "run").exists()


def test_a_larger_vocabulary_takes_it(tmp_path: Path) -> None:
    spec = written(tmp_path, ("units = 4", "units = 4\nvocabulary = 9"), last=8)
    outcome = train(spec, run_dir=tmp_path / "run", terms=Terms())
    path = outcome.run.path / "checkpoints" / "best.safetensors"
    assert evaluate(path).samples == 10
    new = tmp_path / "new.npz"
    np.savez(new, words=np.array([[0, 1, 8], [9, 0, 0]]), numbers=np.zeros((2, 2)))
    with pytest.raises(DataError, match="sample 1: token 9 at step 0"):
        predict(path, [str(new)])
    np.savez(new, words=np.array([[0, 1, 8.5], [0, 0, 0]]), numbers=np.zeros((2, 2)))
    with pytest.raises(DataError, match="a fraction, expected whole numbers"):
        predict(path, [str(new)])


def test_a_vocabulary_too_small_is_found_from_the_header(tmp_path: Path) -> None:
    spec = written(tmp_path, ("units = 4", "units = 4\nvocabulary = 5"))
    with pytest.raises(SpecError, match="5 tokens, but the data hold tokens up to 5"):
        prepare(load_spec(spec))
