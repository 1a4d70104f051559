"""The table of defaults that the project promises, held against the models."""

from __future__ import annotations

import pytest

from nnctl.spec import registry
from nnctl.spec.data import Split
from nnctl.spec.training import Checkpoint, EarlyStopping, Regularization, Training
from tests.spec.helpers import PLAIN, load


@pytest.mark.parametrize(
    ("family", "tag", "given", "values"),
    [
        ("optimizers", "adam", {},
         {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}),
        ("optimizers", "sgd", {}, {"momentum": 0.0, "nesterov": False, "form": "notes"}),
        ("layers", "dropout", {}, {"rate": 0.5}),
        ("layers", "leaky_relu", {}, {"slope": 0.01}),
        ("layers", "elu", {}, {"alpha": 1.0}),
        ("layers", "dense", {"units": 1}, {"bias": True, "init": None, "bias_init": None}),
        ("layers", "sign", {}, {"straight_through": False}),
        ("losses", "huber", {}, {"delta": 1.0, "weight": 1.0}),
        ("losses", "cross_entropy", {}, {"label_smoothing": 0.0, "class_weights": None}),
    ],
)  # fmt: skip
def test_types(family: str, tag: str, given: dict[str, object], values: dict[str, object]) -> None:
    made = registry.model(family, tag).model_validate({"type": tag, **given}).model_dump()
    assert {key: made[key] for key in values} == values


def test_tables() -> None:
    split = Split()
    assert (split.train, split.test, split.validation, split.seed) == (0.75, 0.25, 0.0, 0)
    assert split.stratify
    training = Training()
    assert (training.epochs, training.batch_size, training.seed) == (10, 32, 0)
    assert (training.dtype, training.shuffle) == ("float32", True)
    assert (training.evaluate_every, training.evaluate_train, training.log_every) == (1, True, 0)
    assert training.early_stopping is None
    stopping = EarlyStopping()
    assert (stopping.monitor, stopping.patience) == ("validation.loss", 5)
    assert (stopping.min_delta, stopping.restore_best) == (0.0, True)
    penalties = Regularization()
    assert (penalties.l1, penalties.l2, penalties.biases) == (0.0, 0.0, False)
    checkpoint = Checkpoint()
    assert (checkpoint.keep, checkpoint.monitor, checkpoint.every_epochs) == (3, None, None)


def test_what_is_left_out_of_a_spec() -> None:
    spec = load(PLAIN)
    assert (spec.optimizer.type, spec.schedule.type) == ("adam", "constant")
    assert (spec.data.normalize, spec.data.normalize_target) == ("none", False)
    assert (spec.metrics, spec.gates, spec.outputs) == (None, [], None)
    assert list(spec.losses) == [""]
