"""Predictions in the words of the data, in all three forms."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from nnctl.run.heads import Head
from nnctl.run.predictions import Predictions, as_csv, as_jsonl, as_npz, predicted
from nnctl.spec.info import TargetInfo

PETS = TargetInfo("class", 3, ("cat", "dog, small", "eel"))
LOGITS = np.array([[0.0, np.log(3.0), -np.inf], [2.0, 2.0, 2.0]])


def found(*outputs, sources=("a.csv",), features=None):
    sample = np.arange(2)
    source = np.arange(2) % len(sources)
    return Predictions(tuple(sources), source, sample, outputs, features or {})


def pets(name=""):
    return predicted(Head("dense_1", name, "", PETS, "softmax"), LOGITS)


def test_classes_and_probabilities():
    first, second = map(json.loads, as_jsonl(found(pets())))
    assert first["class"] == "dog, small"
    assert first["probabilities"] == {"cat": 0.25, "dog, small": 0.75, "eel": 0.0}
    assert second["class"] == "cat"  # a tie goes to the lowest class


def test_csv_quotes_what_it_must():
    rows = list(csv.DictReader(io.StringIO("\n".join(as_csv(found(pets()))))))
    assert list(rows[0]) == ["sample", "class", "p[cat]", "p[dog, small]", "p[eel]"]
    assert rows[0]["p[dog, small]"] == "0.75"
    assert rows[1]["p[eel]"] == "0.333333333"


def test_a_sample_that_is_a_file_has_its_name():
    some = replace(found(pets()), files=np.array(["cat/1.png", ""]))
    assert [json.loads(line)["file"] for line in as_jsonl(some)] == ["cat/1.png", None]
    rows = list(csv.DictReader(io.StringIO("\n".join(as_csv(some)))))
    assert [row["file"] for row in rows] == ["cat/1.png", ""]
    with np.load(io.BytesIO(as_npz(some)), allow_pickle=False) as archive:
        assert archive["file"].tolist() == ["cat/1.png", ""]


def test_one_logit_gives_two_classes():
    head = Head("d", "", "", TargetInfo("class", 2, ("no", "yes")), "sigmoid")
    row = json.loads(next(as_jsonl(found(predicted(head, np.array([[np.log(4.0)], [0.0]]))))))
    assert row["class"] == "yes" and row["probabilities"] == {"no": 0.2, "yes": 0.8}


def test_questions_have_a_probability_each_and_no_class():
    head = Head("d", "", "", TargetInfo("rows", 2, ("red", "big")), "sigmoid")
    row = json.loads(next(as_jsonl(found(predicted(head, np.zeros((2, 2)))))))
    assert row == {"sample": 0, "probabilities": {"red": 0.5, "big": 0.5}}


def test_pixels_that_are_compared_as_logits_are_told_as_pixels():
    head = Head("d", "", "", TargetInfo("rows", 2), "sigmoid")
    row = json.loads(next(as_jsonl(found(predicted(head, np.array([[0.0, -999.0]] * 2))))))
    assert row == {"sample": 0, "prediction": [0.5, 0.0]}


def test_numbers_stand_as_they_are_and_nan_is_null():
    head = Head("d", "", "", TargetInfo("number", 1), "identity")
    one, two = map(json.loads, as_jsonl(found(predicted(head, np.array([[102.0], [np.nan]])))))
    assert one == {"sample": 0, "prediction": 102.0}
    assert two == {"sample": 1, "prediction": None}


def test_values_that_are_no_probabilities_are_not_called_so():
    head = Head("d", "", "", PETS, "identity")
    row = json.loads(next(as_jsonl(found(predicted(head, np.array([[1.0, -2, 3], [0, 0, 0]]))))))
    assert row == {"sample": 0, "class": "eel", "values": [1.0, -2.0, 3.0]}


def test_several_outputs_and_sources_have_their_names():
    lines = list(as_csv(found(pets("kind"), pets("twin"), sources=("a.csv", "b.csv"))))
    assert lines[0].startswith("source,sample,kind.class,kind.p[cat],")
    assert lines[2].startswith("b.csv,1,cat,")


def test_npz_needs_no_pickle_and_keeps_the_shape_of_features():
    features = {"conv_1": np.zeros((2, 3, 3, 2), np.float32)}
    archive = np.load(io.BytesIO(as_npz(found(pets(), features=features))), allow_pickle=False)
    assert archive["conv_1"].shape == (2, 3, 3, 2)
    assert archive["classes"].tolist() == list(PETS.classes)
    assert archive["class"].tolist() == [1, 0]
    assert archive["probabilities"][0] == pytest.approx([0.25, 0.75, 0.0])


def test_features_in_a_table_are_numbered():
    lines = list(as_csv(found(features={"dense_1": np.arange(4.0).reshape(2, 1, 2)})))
    assert lines == ["sample,dense_1_0,dense_1_1", "0,0.0,1.0", "1,2.0,3.0"]


def test_steps_beyond_the_end_of_a_sample_are_not_said():
    head = Head("d", "", "", replace(PETS, steps=3), "softmax")
    logits = np.eye(3)[[[1, 0, 2], [2, 0, 0]]] * 9
    some = found(replace(predicted(head, logits), ends=np.array([1, 3])))
    first, second = map(json.loads, as_jsonl(some))
    assert first["class"] == ["dog, small"] and len(first["probability"]) == 1
    assert second["class"] == ["eel", "cat", "cat"] and len(second["probability"]) == 3
    rows = list(csv.DictReader(io.StringIO("\n".join(as_csv(some)))))
    assert (rows[0]["class_1"], rows[1]["class_1"], rows[0]["probability_2"]) == ("", "cat", "")
    with np.load(io.BytesIO(as_npz(some)), allow_pickle=False) as archive:
        assert archive["steps"].tolist() == [1, 3]


def test_numbers_beyond_the_end_of_a_sample_are_not_said():
    head = Head("d", "", "", TargetInfo("number", 1, steps=3), "identity")
    some = found(replace(predicted(head, np.arange(6.0).reshape(2, 3, 1)), ends=np.array([2, 3])))
    assert [json.loads(line)["prediction"] for line in as_jsonl(some)] == [[0, 1], [3, 4, 5]]
    assert list(as_csv(some))[1:] == ["0,0.0,1.0,", "1,3.0,4.0,5.0"]
