"""Runs whose batches hold samples of near lengths."""

from __future__ import annotations

import random

import numpy as np
import pytest

from nnctl.run.jobs import ordering
from nnctl.run.prepare import prepare
from nnctl.run.session import resume
from nnctl.run.training import Terms
from nnctl.spec import load_spec
from tests.graph import networks
from tests.run.runs import final, stopping_at, train

SPEC = """
[data]
source = "a.tsv"
tokens = "character"
task = "classification"
split = { test = 0.25 }

[[layers]]
type = "embedding"
units = 3

[[layers]]
type = "gru"
units = 5
returns = "last"

[[layers]]
type = "dense"
units = 2

[loss]
type = "cross_entropy"

[optimizer]
type = "adam"

[training]
epochs = 3
batch_size = 16
threads = 1
bucket_by_length = true

[checkpoint]
keep = 100
every_epochs = 1
"""


@pytest.fixture
def spec(tmp_path):
    chance = random.Random(1)
    words = ("".join(chance.choices("ab", k=chance.randrange(1, 30))) for _ in range(200))
    (tmp_path / "a.tsv").write_text("".join(f"{word}\t{word[0]}\n" for word in words))
    (tmp_path / "s.toml").write_text(SPEC)
    return tmp_path / "s.toml"


def test_batches_are_of_near_lengths_and_a_stopped_run_goes_on_to_the_same_bits(spec, tmp_path):
    prepared = prepare(load_spec(spec))
    lengths = prepared.parts["train"].lengths[""][ordering(prepared)(0)]
    prepared.plan.close()
    assert np.ptp(lengths[:144].reshape(-1, 16), axis=1).max() < 8 < np.ptp(lengths)
    train(spec, tmp_path / "whole")
    train(spec, tmp_path / "run", **stopping_at(13))
    resume(str(tmp_path / "run"), terms=Terms(threads=2))
    assert final(tmp_path / "run") == final(tmp_path / "whole")


def test_samples_without_lengths_are_refused():
    rest = f"{networks.LOSS}[training]\nbucket_by_length = true\n"
    (said,) = networks.problems("dense units=3", rest)
    assert said.startswith("net.toml:12:")
    assert "bucket_by_length: has no effect: the samples have no lengths of their own" in said
