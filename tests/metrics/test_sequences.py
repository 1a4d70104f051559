"""Metrics of sequences against their definitions, step by step in plain Python."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from nnctl.errors import DataError
from nnctl.metrics import Sequences, classified, compute, over_steps

LABELS = np.array([[0, 2, 1, -1], [-1, -1, -1, -1], [1, 1, -1, 2], [2, 0, 1, 1]])
SCORES = np.random.default_rng(4).normal(size=(4, 4, 3)) * 3


def seen(scores: np.ndarray = SCORES, labels: np.ndarray = LABELS) -> Sequences:
    made = over_steps(scores.reshape(len(labels), -1), labels, "class", "softmax", 3)
    assert isinstance(made, Sequences)
    return made


def edits(one: list[int], other: list[int]) -> int:
    """The definition, from the end."""

    @cache
    def between(i: int, j: int) -> int:
        if min(i, j) == 0:
            return max(i, j)
        changed = between(i - 1, j - 1) + (one[i - 1] != other[j - 1])
        return min(changed, between(i - 1, j) + 1, between(i, j - 1) + 1)

    return between(len(one), len(other))


def test_every_metric_is_that_of_the_steps_that_count() -> None:
    logs, right, exact, distances = [], [], [], []
    for scores, labels in zip(SCORES, LABELS, strict=True):
        predicted, true = [], []
        for row, label in zip(scores, labels, strict=True):
            if label >= 0:
                total = sum(math.exp(s) for s in row)
                logs.append(-math.log(math.exp(row[label]) / total))
                predicted.append(int(np.argmax(row)))
                true.append(int(label))
        right += [p == t for p, t in zip(predicted, true, strict=True)]
        if true:
            exact.append(predicted == true)
            distances.append(edits(predicted, true) / len(true))
    found = compute(seen())
    assert found["accuracy"] == pytest.approx(np.mean(right))
    assert found["log_loss"] == pytest.approx(np.mean(logs))
    assert found["perplexity"] == pytest.approx(math.exp(np.mean(logs)))
    assert found["bits_per_character"] == pytest.approx(np.mean(logs) / math.log(2))
    assert found["exact_match"] == pytest.approx(np.mean(exact))
    assert found["edit_distance"] == pytest.approx(np.mean(distances))
    flat = classified(SCORES[LABELS >= 0], LABELS[LABELS >= 0], 3)
    for name, value in compute(flat, ["macro_f1", "top_2_accuracy"]).items():
        assert compute(seen(), [name])[name] == value


@pytest.mark.parametrize("seed", range(5))
def test_edit_distance_of_many_lengths(seed: int) -> None:
    stream = np.random.default_rng(seed)
    labels = stream.integers(-1, 3, (30, 9))
    scores = stream.normal(size=(30, 9, 3)) + 1.5 * np.eye(3)[np.roll(np.maximum(labels, 0), 1, 1)]
    wanted = []
    for row, true in zip(scores.argmax(axis=2), labels, strict=True):
        there = true >= 0
        if there.any():
            wanted.append(edits(row[there].tolist(), true[there].tolist()) / there.sum())
    assert compute(seen(scores, labels), ["edit_distance"])["edit_distance"] == pytest.approx(
        np.mean(wanted)
    )


def test_where_each_row_is() -> None:
    places = seen().places
    assert places.sample.tolist() == [0, 0, 0, 2, 2, 2, 3, 3, 3, 3]
    assert places.step.tolist() == [0, 1, 2, 0, 1, 3, 0, 1, 2, 3]


def test_no_step_that_counts_is_undefined() -> None:
    found = compute(seen(SCORES[1:2], LABELS[1:2]))
    assert found and all(np.isnan(value) for value in found.values())


def test_numbers_of_steps_that_count() -> None:
    truth = np.array([[[1.0], [2.0]], [[np.nan], [4.0]]])
    outputs = np.array([[1.5, 2.0], [9.0, 3.0]])
    found = compute(over_steps(outputs, truth, "number", "identity"))
    assert found["mae"] == pytest.approx(0.5)
    assert "length_error" not in found
    with pytest.raises(DataError, match="outputs have shape"):
        over_steps(outputs[:, :1], np.zeros((3, 2)), "class", "softmax", 3)


def test_an_end_is_held_against_the_last_step_that_counts() -> None:
    nan = np.nan
    truth = np.array([[1.0, nan, 3.0, nan], [nan] * 4, [1.0, 2.0, 3.0, 4.0], [1.0, nan, nan, nan]])
    made = over_steps(
        np.zeros((4, 4)), truth[..., None], "number", "identity", ends=np.array([1, 4, 4, 4])
    )
    assert compute(made)["length_error"] == pytest.approx((2 + 0 + 3) / 3)
    assert compute(made)["mae"] == pytest.approx((1 + 3 + 1 + 2 + 3 + 4 + 1) / 7)
