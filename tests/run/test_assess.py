"""The evaluation document, in the contract's fields, for one output and for several."""

import json

import numpy as np
import pytest

from nnctl.run.assess import assess, measure
from nnctl.run.heads import Head
from nnctl.spec.gates import parse_gates
from nnctl.spec.info import TargetInfo

PETS = Head("dense_2", "", "", TargetInfo("class", 2, ("cat", "dog")), "softmax")
PRICE = Head("dense_3", "", "", TargetInfo("number", 1), "identity")
LOGITS = np.array([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0]], np.float32)
LABELS = np.array([0, 1, 1])


def pets(gates=(), **more):
    return assess(
        [PETS],
        {"dense_2": LOGITS},
        {"": LABELS},
        split="test",
        loss=0.5,
        gates=parse_gates(gates),
        **more,
    )


def test_document_has_the_fields_of_the_contract():
    document = pets(["accuracy>=0.6", "recall[dog]>=0.9"]).document("a.safetensors")
    assert document["checkpoint"] == "a.safetensors"
    assert (document["split"], document["samples"]) == ("test", 3)
    assert list(document["metrics"])[:2] == ["loss", "accuracy"]
    assert document["metrics"]["accuracy"] == pytest.approx(2 / 3)
    assert [row["class"] for row in document["per_class"]] == ["cat", "dog"]
    assert set(document["per_class"][0]) == {"class", "precision", "recall", "f1", "support"}
    assert document["confusion"] == {"classes": ["cat", "dog"], "counts": [[1, 0], [1, 1]]}
    assert document["gates"][0]["passed"] and not document["gates"][1]["passed"]
    assert document["gates"][1] == {"gate": "recall[dog]>=0.9", "value": 0.5, "passed": False}
    json.dumps(document, allow_nan=False)


def test_a_gate_may_ask_for_a_metric_with_a_parameter():
    assert pets(["top_2_accuracy>=1"]).verdicts[0].passed


def test_nan_loss_is_none_and_meets_no_gate():
    found = assess(
        [PETS],
        {"dense_2": LOGITS * np.nan},
        {"": LABELS},
        split="test",
        loss=float("nan"),
        gates=parse_gates(["loss<=9e9", "accuracy>=0", "recall[cat]>=0"]),
    )
    assert found.metrics["loss"] is None
    assert not any(verdict.passed for verdict in found.verdicts)


def test_worst_samples_by_loss_with_their_place_in_the_data():
    losses = np.array([0.1, np.nan, 2.0])
    worst = pets(losses=losses, origin=lambda row: {"sample": 40 + int(row)}).worst
    assert [row["sample"] for row in worst] == [41, 42, 40]
    assert worst[1] == {"sample": 42, "loss": 2.0, "true": "dog", "predicted": "cat"}
    assert worst[0]["loss"] is None


def test_a_sample_of_several_numbers_has_no_true_one():
    rows = np.array([[0.0, 1.0], [0.5, 0.5]])
    losses = np.array([1.0, 2.0])
    drawing = Head("dense_3", "", "", TargetInfo("rows", 2), "identity")
    found = assess([drawing], {"dense_3": rows}, {"": rows}, split="test", loss=1.0, losses=losses)
    assert found.worst[0] == {"sample": 1, "loss": 2.0, "true": None, "predicted": None}


def test_regression_has_no_classes():
    outputs = np.array([[10.0], [11.0]])
    found = assess(
        [PRICE], {"dense_3": outputs}, {"": np.array([[10.0], [13.0]])}, split="test", loss=1.0
    )
    assert found.metrics["mae"] == 1.0
    assert found.per_class == [] and found.details[""].confusion is None


def test_several_outputs_are_named():
    kind = Head("dense_2", "kind", "k", PETS.info, "softmax")
    price = Head("dense_3", "price", "p", PRICE.info, "identity")
    outputs = {"dense_2": LOGITS, "dense_3": np.zeros((3, 1))}
    truth = {"k": LABELS, "p": np.ones((3, 1))}
    gates = parse_gates(["kind.recall[dog]>=0.5", "price.mae<=1", "recall[dog]>=0"])
    found = assess([kind, price], outputs, truth, split="test", loss=1.0, gates=gates)
    assert [verdict.passed for verdict in found.verdicts] == [True, True, False]
    document = found.document("c")
    assert document["confusion"] is None
    assert document["outputs"]["kind"]["confusion"]["counts"] == [[1, 0], [1, 1]]
    assert document["per_class"][0]["output"] == "kind"
    assert measure([kind, price], outputs, truth, None) == {
        "kind.accuracy": pytest.approx(2 / 3),
        "price.mae": 1.0,
        "price.r2": pytest.approx(float("nan"), nan_ok=True),
    }
    assert measure([kind, price], outputs, truth, ["price.mse"]) == {"price.mse": 1.0}
