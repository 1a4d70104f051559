"""Names of metrics, and the two lists of them held together."""

from __future__ import annotations

import pytest

from nnctl.metrics.registry import _METRICS, discover
from nnctl.spec.metrics import METRICS, find, split_name

CLASSWISE = {"precision", "recall", "f1"}


def test_what_is_computed_and_what_can_be_said_are_the_same() -> None:
    discover()
    computed = {name for name, _ in _METRICS}
    assert set(METRICS) - CLASSWISE - {"loss"} == computed


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("accuracy", "accuracy"), ("recall[7]", "recall"), ("recall[a b]", "recall"),
        ("head.accuracy", "accuracy"), ("res.1.head.recall[x]", "recall"),
        ("top_3_accuracy", "top_{k}_accuracy"), ("recall", None), ("accuracy[3]", None),
        ("top_0_accuracy", None), ("top_k_accuracy", None), ("nothing", None), ("", None),
        ("recall[]", None), ("recall[7", None),
    ],
)  # fmt: skip
def test_find(name: str, known: str | None) -> None:
    found = find(name)
    assert (found.name if found else None) == known


def test_directions() -> None:
    assert {name for name, metric in METRICS.items() if metric.better == "min"} == {
        "loss", "log_loss", "mse", "rmse", "mae", "naive_mae",
        "perplexity", "bits_per_character", "edit_distance", "length_error",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("monitor", "parts"),
    [
        ("validation.loss", ("validation", "loss")),
        ("validation.head.recall[a.b]", ("validation", "head.recall[a.b]")),
        ("loss", ("", "loss")),
        ("head.loss", ("", "head.loss")),
    ],
)
def test_split_name(monitor: str, parts: tuple[str, str]) -> None:
    assert split_name(monitor) == parts
