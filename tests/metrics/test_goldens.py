"""Every metric agrees with scikit-learn to 1e-9 on stored cases (``make_goldens.py``)."""

import json
from pathlib import Path

import numpy as np
import pytest

from nnctl.metrics import classified, compute, per_class, view

GOLDENS = json.loads((Path(__file__).parent / "goldens.json").read_text())
TOLERANCE = 1e-9


def by_name(group):
    return [pytest.param(case, id=case["name"]) for case in GOLDENS[group]]


def agree(ours, theirs):
    """Compare two dicts of numbers, where None stands for an undefined one."""
    assert set(theirs) <= set(ours)
    for name, value in theirs.items():
        mine = ours[name]
        if value is None:
            assert mine is None or np.isnan(mine), name
        else:
            assert mine == pytest.approx(value, abs=TOLERANCE, rel=TOLERANCE), name


def check_classes(case, link):
    scores = classified(np.array(case["scores"]), np.array(case["labels"]), case["classes"], link)
    agree(compute(scores), case["metrics"])
    for ours, theirs in zip(per_class(scores), case["per_class"], strict=True):
        agree(ours, theirs)
    assert scores.confusion.tolist() == case["confusion"]
    return scores


@pytest.mark.parametrize("case", by_name("classification"))
def test_classification(case):
    scores = check_classes(case, "softmax")
    if case["top_2_accuracy"] is not None:
        agree(compute(scores, ["top_2_accuracy"]), {"top_2_accuracy": case["top_2_accuracy"]})


@pytest.mark.parametrize("case", by_name("binary"))
def test_one_logit(case):
    check_classes(case, "sigmoid")


@pytest.mark.parametrize("case", by_name("regression"))
def test_regression(case):
    numbers = view(np.array(case["predictions"]), np.array(case["truth"]), "number", "identity")
    agree(compute(numbers), case["metrics"])


def test_the_comparison_can_fail():
    with pytest.raises(AssertionError):
        agree({"accuracy": 0.5 + 2e-9}, {"accuracy": 0.5})
    with pytest.raises(AssertionError):
        agree({"recall": 0.0}, {"recall": None})
