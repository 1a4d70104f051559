"""``explain``, ``schema``, ``data``, ``doctor``: what is read off the models and the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nnctl.spec.registry import FAMILIES, tags

from .support import Nnctl

TYPES = sorted({tag for family in FAMILIES for tag in tags(family)})


def test_every_type_is_explained(nnctl: Nnctl) -> None:
    for tag in TYPES:
        ended = nnctl("explain", tag, "--json")
        assert ended.status == 0
        for entry in ended.document["entries"]:
            assert len(entry["text"]) > 10
            for field in entry["fields"]:
                assert field["expects"]
                assert field["text"], f"{tag}.{field['key']} is not described"


def test_keys_that_check_would_refuse_are_not_explained(nnctl: Nnctl) -> None:
    for tag, there in (("rnn", True), ("output_rnn", False)):
        found = nnctl("explain", tag).out
        assert ("stateful" in found) is ("gradient_checkpointing" in found) is there


def test_explain_shows_keys_bounds_and_defaults(nnctl: Nnctl) -> None:
    out = nnctl("explain", "dropout").out
    assert "Srivastava et al. 2014" in out
    assert "a number of at least 0 and below 1; default 0.5\n" in out


@pytest.mark.parametrize("topic", ["training", "data.split", "training.epochs", "losses", "recall"])
def test_tables_keys_families_and_metrics_are_topics(topic: str, nnctl: Nnctl) -> None:
    ended = nnctl("explain", topic)
    assert (ended.status, ended.err) == (0, "")
    assert len(ended.out.splitlines()) > 2


def test_an_unknown_topic_names_the_nearest(nnctl: Nnctl) -> None:
    ended = nnctl("explain", "dropuot")
    assert ended.status == 2
    assert ended.err.splitlines()[1] == '  did you mean "dropout"?'


def test_the_index_names_every_type(nnctl: Nnctl) -> None:
    words = nnctl("explain").out.replace(",", " ").split()
    assert set(words) >= set(TYPES)


def test_schema_is_json_schema(nnctl: Nnctl) -> None:
    found = json.loads(nnctl("schema").out)
    assert found["$schema"].startswith("https://json-schema.org/")
    assert "layers" in found["properties"]


def test_data_list_and_info(nnctl: Nnctl, tmp_path: Path) -> None:
    names = [entry["name"] for entry in nnctl("data", "list", "--json").document["datasets"]]
    assert names == sorted(names)
    assert {"digits", "iris", "wine", "breast_cancer", "diabetes"} <= set(names)
    found = nnctl("data", "info", "iris", "--json").document
    assert (found["samples"], found["input"], found["target"]) == (150, "4", "3 classes")
    assert found["classes"] == ["setosa", "versicolor", "virginica"]
    assert nnctl("data", "info", tmp_path / "none.csv").status == 3


def test_data_info_of_sequences(nnctl: Nnctl, tmp_path: Path) -> None:
    found = nnctl("data", "info", "sunspots", "--window", "20", "--json").document
    assert (found["samples"], found["test samples"]) == (212, 57)
    assert (found["input"], found["target"]) == ("20x2", "number, 1 wide")
    found = nnctl("data", "info", "alice", "--json").document
    assert found["input"] == "64 tokens of 68"
    assert found["target"] == "68 classes at each of 64 steps"
    (tmp_path / "a.tsv").write_text("to be\tor not\nto be or\tnot\n")
    found = nnctl("data", "info", tmp_path / "a.tsv", "--tokens", "word", "--json").document
    assert (found["samples"], found["input"]) == (2, "3 tokens of 3")
    assert found["classes"] == ["<start>", "<stop>", "not", "or"]


def test_doctor(nnctl: Nnctl) -> None:
    found = nnctl("doctor", "--json").document
    assert found["threads"] >= 1
    assert found["vector_bits"] in (128, 256, 512)
    assert found["numba"]
    assert Path(found["cache"]).is_dir()
    assert "vector bits" in nnctl("doctor").out
