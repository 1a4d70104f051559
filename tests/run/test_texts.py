"""A run on a text: what is learned, what a checkpoint keeps of the symbols, what is refused."""

from __future__ import annotations

import json

import pytest

from nnctl.data import load
from nnctl.errors import CheckpointError, DataError
from nnctl.run import session
from nnctl.run.evaluate import evaluate
from nnctl.run.predicting import predict
from nnctl.run.predictions import rows
from nnctl.run.symbols import differences
from nnctl.run.training import Terms
from nnctl.spec import load_spec
from tests.run.runs import nnctl, train

SPEC = """
[data]
source = "a.txt"
window = 4
split = { train = 0.75, test = 0.25, gap = 3 }

[[layers]]
type = "embedding"
units = 5

[[layers]]
type = "dense"
units = 3

[loss]
type = "cross_entropy"

[optimizer]
type = "adam"
learning_rate = 0.1

[training]
epochs = 20
threads = 1
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on ``ab ab ...``, where each character decides the next; then without the text."""
    folder = tmp_path_factory.mktemp("text")
    text = folder / "a.txt"
    text.write_text("ab " * 100)
    (folder / "spec.toml").write_text(SPEC)
    train(folder / "spec.toml", folder / "run")
    text.unlink()
    return folder / "run"


def checkpoint(run):
    return run / "checkpoints" / "latest.safetensors"


def test_what_follows_is_learned(run):
    metrics = json.loads((run / "summary.json").read_text())["metrics"]
    assert metrics["train"]["accuracy"] == metrics["test"]["accuracy"] == 1.0


@pytest.mark.parametrize("kind", ["character", "word"])
def test_bits_per_character_are_not_those_of_words(kind, tmp_path):
    (tmp_path / "a.txt").write_text(("ab " if kind == "character" else "b a c ") * 100)
    text = SPEC.replace("window = 4", f'window = 4\ntokens = "{kind}"')
    (tmp_path / "spec.toml").write_text(text.replace("epochs = 20", "epochs = 1"))
    train(tmp_path / "spec.toml", tmp_path / "run")
    metrics = evaluate(checkpoint(tmp_path / "run")).metrics
    assert ("bits_per_character" in metrics) == (kind == "character")
    assert "perplexity" in metrics


def test_another_text_is_read_with_the_symbols_that_the_checkpoint_keeps(run, tmp_path):
    (tmp_path / "new.txt").write_text("b ab")
    found = list(rows(predict(checkpoint(run), [str(tmp_path / "new.txt")])))
    assert [row["class"] for row in found] == [["space", "a", "b", "space"]]
    (tmp_path / "new.txt").write_text("b ab b ab ")
    judged = evaluate(checkpoint(run), data=str(tmp_path / "new.txt"))
    assert judged.samples == 2 and judged.metrics["accuracy"] == pytest.approx(7 / 8)


def test_a_character_that_the_checkpoint_does_not_know(run, tmp_path):
    path = tmp_path / "new.txt"
    path.write_text("ab a\nab c")
    with pytest.raises(DataError) as caught:
        predict(checkpoint(run), [str(path)])
    said = str(caught.value)
    assert f'{path}:1:5: character "newline" is not in the training part' in said
    assert f'{path}:2:4: character "c" is not in the training part' in said
    assert "data.source" not in said


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("ab ab\nxb y " + "ab " * 100, [(1, 6, '"newline"'), (2, 1, '"x"'), (2, 4, '"y"')]),
        ("xb " * 100, [(1, 1, '"x"'), (0, 0, 'the input no longer holds the character "a"')]),
        ("a " * 150, [(0, 0, 'the input no longer holds the character "b"')]),
    ],
)
def test_a_text_of_other_symbols_is_told_before_anything_is_built(run, new, told):
    path = run.parent / "a.txt"
    path.write_text(new)
    try:
        with pytest.raises(CheckpointError, match="the vocabulary of a.txt differs") as resumed:
            session.resume(str(run), ["training.epochs=21"], terms=Terms())
        with pytest.raises(DataError, match="the data are not those") as judged:
            evaluate(checkpoint(run))
    finally:
        path.unlink()
    for caught in (resumed, judged):
        head, *problems = caught.value.problems
        assert head.hint and [(p.line, p.column) for p in problems] == [t[:2] for t in told]
        for problem, (line, _, said) in zip(problems, told, strict=True):
            assert said in problem.message and problem.file == (str(path) if line else "")


def test_records_of_other_symbols_are_named_by_line(tmp_path):
    head = '[data]\nsource = "a.tsv"\ntokens = "character"\n'
    (tmp_path / "spec.toml").write_text(head + SPEC[SPEC.index("[[layers]]") :])
    spec, found = load_spec(tmp_path / "spec.toml"), []
    for records in ("ab\tab\nb\ta\n", "ab\tab\n?b\tb!\nb?\ta\n"):
        (tmp_path / "a.tsv").write_text(records)
        found.append(load(spec.data, tmp_path).reading)
    assert not differences(spec, found[1], found[1])
    told = [(p.line, p.column, p.message) for p in differences(spec, found[1], found[0])]
    assert [(line, column) for line, column, _ in told] == [(2, 1)], "inputs first"
    assert told[0][2].endswith("is not in the vocabulary of the checkpoint")


def test_a_network_that_reads_its_answer_is_refused_before_it_is_trained(tmp_path):
    (tmp_path / "a.txt").write_text("ab " * 100)
    both = '[[layers]]\ntype = "conv1d"\nfilters = 4\nkernel_size = 3\npadding = "same"\n'
    text = SPEC.replace('[[layers]]\ntype = "dense"', both + '[[layers]]\ntype = "dense"')
    (tmp_path / "spec.toml").write_text(text)
    found = nnctl("check", "spec.toml", cwd=tmp_path)
    assert found.returncode == 2
    assert "reads its own answer: step 0 is to predict step 1" in found.stderr
    (tmp_path / "spec.toml").write_text(text.replace("window = 4", 'window = 4\nsteps = "last"'))
    assert "reads its own answer" not in nnctl("check", "spec.toml", cwd=tmp_path).stderr


def _classified(folder, table, *changes):
    """Train on records of a word and a class; returns the checkpoint."""
    (folder / "a.tsv").write_text(table + "ab\teven\nb\todd\n" * 20)
    text = SPEC.replace("a.txt", "a.tsv").replace("window = 4", 'tokens = "character"')
    text = text.replace(", gap = 3", "").replace("split", 'task = "classification"\nsplit')
    last = '[[layers]]\ntype = "rnn"\nunits = 6\nreturns = "last"\n[[layers]]\ntype = "dense"'
    text = text.replace('[[layers]]\ntype = "dense"', last).replace("units = 3", "units = 2")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "spec.toml").write_text(text)
    train(folder / "spec.toml", folder / "run")
    return checkpoint(folder / "run")


def test_records_and_what_is_unknown_in_them(tmp_path):
    known = _classified(tmp_path, "")
    (tmp_path / "new.txt").write_text("b\nab\n")
    found = predict(known, [str(tmp_path / "new.txt")])
    assert [row["class"] for row in rows(found)] == ["odd", "even"]
    (tmp_path / "new.txt").write_text("b\nabb\n")
    with pytest.raises(DataError, match=r'new.txt:2:1: "text" has 3 characters, at most 2'):
        predict(known, [str(tmp_path / "new.txt")])


def test_a_table_of_one_column_under_the_name_that_it_had(tmp_path):
    known = _classified(tmp_path, "word\tlabel\n", ("split", 'target = "label"\nsplit'))
    (tmp_path / "new.tsv").write_text("word\nb\nab\n")
    found = predict(known, [str(tmp_path / "new.tsv")])
    assert [row["class"] for row in rows(found)] == ["odd", "even"]
