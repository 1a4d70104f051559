"""What the goldens cannot show: NaN outputs, ties, shapes and labels that do not fit."""

import numpy as np
import pytest

from nnctl.errors import DataError
from nnctl.metrics import Classified, classified, compute, names, per_class, view, views_of


def test_nan_outputs_make_every_metric_undefined():
    scores = np.eye(3)
    scores[1, 2] = np.nan
    broken = classified(scores, np.arange(3), 3)
    assert all(np.isnan(value) for value in compute(broken).values())
    assert all(row["recall"] is None for row in per_class(broken))


def test_no_sample_is_undefined_not_perfect():
    assert np.isnan(compute(classified(np.zeros((0, 3)), np.zeros(0, int), 3))["accuracy"])
    nothing = view(np.zeros((0, 1)), np.zeros((0, 1)), "number", "identity")
    assert all(np.isnan(value) for value in compute(nothing).values())


def test_ties_go_to_the_lowest_class():
    tied = classified(np.zeros((2, 3)), np.array([0, 1]), 3)
    assert tied.predicted.tolist() == [0, 0]
    tops = compute(tied, ["top_1_accuracy", "top_2_accuracy"])
    assert tops == {"top_1_accuracy": 0.5, "top_2_accuracy": 1.0}


def test_a_logit_of_zero_is_class_zero():
    assert classified(np.zeros((1, 1)), np.array([1]), 2, "sigmoid").predicted.tolist() == [0]
    assert classified(np.array([[0.6]]), np.array([1]), 2, "identity").predicted.tolist() == [1]


def test_a_huge_logit_does_not_overflow():
    sure = classified(np.array([[1e4, -1e4]]), np.array([1]), 2)
    assert compute(sure)["log_loss"] == pytest.approx(2e4)


def test_log_loss_of_values_that_are_no_probabilities_is_undefined():
    raw = classified(np.array([[3.0, -1.0]]), np.array([0]), 2, "identity")
    assert np.isnan(compute(raw)["log_loss"])
    assert compute(raw)["accuracy"] == 1.0


def test_rows_of_probabilities_count_as_their_likeliest_class():
    rows = view(np.eye(3), np.array([[0.6, 0.4, 0], [0, 1, 0], [1, 0, 0]]), "rows", "softmax")
    assert isinstance(rows, Classified)
    assert compute(rows)["accuracy"] == pytest.approx(2 / 3)


def test_questions_are_counted_one_by_one():
    questions = view(
        np.array([[1.0, -1.0], [1.0, 1.0]]), np.array([[1, 0], [0, 1]]), "rows", "sigmoid"
    )
    found = compute(questions)
    assert (found["accuracy"], found["exact_match"]) == (0.75, 0.5)


def test_r2_of_a_constant_truth_is_undefined():
    constant = view(np.array([1.0, 2.0]), np.full(2, 0.1), "number", "identity")
    assert np.isnan(compute(constant)["r2"])


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.zeros((2, 3)), [0, 3], "label 3 is outside the 3 classes"),
        (np.zeros((2, 3)), [-1, 0], "label -1 is outside the 3 classes"),
        (np.zeros((2, 3)), [0], "2 outputs beside 1 labels"),
    ],
)
def test_labels_that_do_not_fit(scores, labels, message):
    with pytest.raises(DataError, match=message):
        classified(scores, np.array(labels), 3)


def test_names_and_patterns():
    assert "accuracy" in names(Classified)
    assert views_of("top_5_accuracy") == (Classified,)
    assert views_of("top_0_accuracy") == ()
    assert views_of("nonsense") == ()
    assert compute(classified(np.eye(2), np.arange(2), 2), ["nonsense"]) == {}


def test_a_million_predictions_are_one_pass():
    """No loop over samples: the memory of the view is a few arrays, the result exact."""
    labels = np.tile(np.arange(10), 100_000)
    scores = np.zeros((1_000_000, 10), dtype=np.float32)
    scores[np.arange(1_000_000), labels] = 1.0
    assert compute(classified(scores, labels, 10), ["accuracy"]) == {"accuracy": 1.0}


def test_a_forecast_beside_what_stays_as_it_was():
    truth, naive = np.array([[3.0], [5.0], [4.0]]), np.array([[1.0], [3.0], [5.0]])
    seen = view(truth + [[0.5], [-0.5], [0.25]], truth, "number", "identity", naive=naive)
    found = compute(seen)
    assert found["naive_mae"] == pytest.approx(5 / 3)
    assert found["mae"] == pytest.approx(1.25 / 3)
    assert found["skill"] == pytest.approx(1 - 1.25 / 5)
    still = view(truth, naive, "number", "identity", naive=naive)
    assert np.isnan(compute(still)["skill"])
    plain = view(truth, truth, "number", "identity")
    assert "skill" not in compute(plain)
