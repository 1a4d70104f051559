"""What a spec may name is what can be measured: two lists, kept in step here."""

import numpy as np
import pytest

from nnctl.metrics import (
    Classified,
    Ending,
    Forecast,
    MultiLabel,
    Regressed,
    classified,
    names,
    per_class,
)
from nnctl.spec.metrics import METRICS, find

# Of the whole plan, not of outputs and truth.
OF_THE_PLAN = {"loss"}


KINDS = {
    "classes": Classified,
    "labels": MultiLabel,
    "numbers": Regressed,
    "forecasts": Forecast,
    "numbers that end": Ending,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_of_the_spec_is_measured_and_every_measure_has_a_name(kind):
    named = {n for n, m in METRICS.items() if kind in m.kinds and not m.per_class}
    assert named - OF_THE_PLAN == set(names(KINDS[kind]))


def test_the_columns_by_class_are_the_metrics_of_a_class():
    row = per_class(classified(np.eye(2), np.arange(2), 2))[0]
    assert set(row) - {"class", "support"} == {n for n, m in METRICS.items() if m.per_class}


def test_directions():
    better = {name: metric.better for name, metric in METRICS.items()}
    falling = {"loss", "log_loss", "mse", "rmse", "mae", "naive_mae"}
    falling |= {"perplexity", "bits_per_character", "edit_distance", "length_error"}
    assert {name for name, direction in better.items() if direction == "min"} == falling


def test_names_with_numbers_and_classes():
    assert find("top_3_accuracy") is not None
    assert find("top_0_accuracy") is None
    assert find("recall[7]") is not None
    assert find("recall") is None
    assert find("accuracy[7]") is None
