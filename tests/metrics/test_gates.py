"""A gate passes only on a number that meets it."""

import pytest

from nnctl.errors import ExitStatus, UsageError
from nnctl.spec.gates import judge, parse_gate, parse_gates

METRICS = {
    "accuracy": 0.95,
    "loss": 0.2,
    "log_loss": float("nan"),
    "head.accuracy": 0.5,
    "r2": None,
}
ROWS = [
    {"class": "7", "precision": 0.8, "recall": 0.9, "f1": 0.85, "support": 10},
    {"class": "not seen", "precision": None, "recall": None, "f1": None, "support": 0},
]


def verdict(text):
    return judge([parse_gate(text)], METRICS, ROWS)[0]


@pytest.mark.parametrize(
    ("text", "value", "passed"),
    [
        ("accuracy>=0.95", 0.95, True),
        ("accuracy > 0.95", 0.95, False),
        ("accuracy<.951", 0.95, True),
        ("loss<=2e-1", 0.2, True),
        ("loss<0.2", 0.2, False),
        ("recall[7]>=0.9", 0.9, True),
        ("support[7]>10", 10, False),
        ("head.accuracy>=-1", 0.5, True),
        ("recall[not seen]>=0", None, False),
        ("recall['7']>=0", 0.9, True),
        ("recall[8]>=0", None, False),
        ("log_loss<=1e9", None, False),
        ("r2<=1", None, False),
        ("acuracy>=0", None, False),
    ],
)
def test_verdicts(text, value, passed):
    found = verdict(text)
    assert (found.value, found.passed) == (value, passed)
    assert found.row() == {"gate": text, "value": value, "passed": passed}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("accuracy>0.99", "gate not met: accuracy>0.99: accuracy is 0.95"),
        ("acuracy>=0", "did you mean 'accuracy'"),
        ("log_loss<=1", "log_loss is undefined here"),
        ("recall[8]>=0.5", "there is no recall[8]"),
    ],
)
def test_reasons(text, reason):
    assert reason in verdict(text).problem().message


@pytest.mark.parametrize(
    "text",
    [
        *("", "accuracy", "accuracy=0.9", "accuracy==0.9", "accuracy>=", ">=0.9", "a>=1>=2"),
        *("accuracy>=nan", "accuracy>=inf", "accuracy>=95%", "accuracy=>0.9"),
        *("recall[]>=0.9", "recall[7>=0.9"),
    ],
)
def test_unreadable(text):
    with pytest.raises(UsageError) as caught:
        parse_gate(text)
    assert caught.value.status == ExitStatus.USAGE
    assert repr(text) in str(caught.value)


def test_every_unreadable_gate_is_reported():
    with pytest.raises(UsageError) as caught:
        parse_gates(["accuracy>=0.9", "x", "y"])
    assert len(caught.value.problems) == 2
