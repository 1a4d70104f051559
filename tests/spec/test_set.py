"""``--set``: typed values, errors that point at the flag."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.helpers import PLAIN, load, said

NAMED = PLAIN.replace("units = 32", 'units = 32\nname = "encoder"\nactivation = "relu"')


@pytest.mark.parametrize(
    ("flag", "read", "value"),
    [
        ("training.epochs=3", lambda s: s.training.epochs, 3),
        ("training . epochs = 3", lambda s: s.training.epochs, 3),
        ("training.batch_size=full", lambda s: s.training.batch_size, "full"),
        ('training.batch_size="full"', lambda s: s.training.batch_size, "full"),
        ("training.early_stopping={patience=2}", lambda s: s.training.early_stopping.patience, 2),
        ("layers.1.units=64", lambda s: s.layers[1].units, 64),
        ("layers.encoder.units=64", lambda s: s.layers[1].units, 64),
        ("layers.dense_2.units=12", lambda s: s.layers[2].units, 12),
        ("layers.encoder.activation=tanh", lambda s: s.layers[1].activation.type, "tanh"),
        ("optimizer.type=sgd", lambda s: s.optimizer.type, "sgd"),
        ("optimizer={type='sgd',momentum=0.9}", lambda s: s.optimizer.momentum, 0.9),
        ("data.split={validation=0.2}", lambda s: s.data.split.validation, 0.2),
        ("data.source=iris", lambda s: s.data.source, "iris"),
        ("data.source=../x y.csv", lambda s: s.data.source, "../x y.csv"),
        ("description=a = b", lambda s: s.description, "a = b"),
        ("description=", lambda s: s.description, ""),
        ("metrics=['accuracy']", lambda s: s.metrics, ["accuracy"]),
        ("gates.accuracy=>=0.5", lambda s: s.gates, ["accuracy>=0.5"]),
        ("loss.label_smoothing=0.1", lambda s: s.losses[""].label_smoothing, 0.1),
    ],
)
def test_values(flag: str, read: Any, value: Any) -> None:
    flags = [flag] if "early" not in flag else [flag, "data.split.validation=0.1"]
    assert read(load(NAMED, *flags)) == value


def test_later_flags_win() -> None:
    assert load(PLAIN, "training.epochs=3", "training.epochs=4").training.epochs == 4


GOLDEN = [
    (
        "layers.1.unts=3",
        '--set layers.1.unts=3: unknown key "unts" of layer "dense"\n'
        '  did you mean "units"?\n'
        "  keys: type, name, from, share, units, bias, activation, transposed, init, bias_init, "
        "l1, l2",
    ),
    (
        "training.epochs=1O",
        '--set training.epochs=1O: expected an integer of at least 1, given "1O"',
    ),
    (
        "layers.7.units=3",
        "--set layers.7.units=3: layers.7 does not exist\n  layers has 3 entries: 0 to 2",
    ),
    (
        "layers.encodr.units=3",
        '--set layers.encodr.units=3: no entry of layers is named "encodr"\n'
        '  did you mean "encoder"?\n  names: flatten_1, encoder, dense_2',
    ),
    (
        "data.source.samples=3",
        '--set data.source.samples=3: data.source is "digits", which has no keys\n'
        "  set data.source as a whole",
    ),
    (
        "epochs",
        '--set epochs: expected key=value, given "epochs"\n'
        "  write --set training.epochs=20, or --set layers.0.units=64",
    ),
    (
        "=3",
        '--set =3: expected key=value, given "=3"\n'
        "  write --set training.epochs=20, or --set layers.0.units=64",
    ),
    (
        "epochs=3",
        '--set epochs=3: unknown key "epochs"\n  "epochs" belongs in [schedule] or [training]',
    ),
    (
        "trainng.epochs=3",
        '--set trainng.epochs=3: trainng: unknown key "trainng"\n'
        '  did you mean "training"?\n'
        "  keys: name, description, problem, data, layers, outputs, loss, init, optimizer, "
        "schedule, regularization, training, metrics, gates, checkpoint, extends, blocks",
    ),
    (
        "extends=x.toml",
        "--set extends=x.toml: extends cannot be set from outside\n  write it in a spec file",
    ),
    (
        "training.early_stopping.patience=2",
        "--set training.early_stopping.patience=2: training.early_stopping: needs samples to "
        "select by, and there is no validation part\n"
        '  add one: [data] split = { validation = 0.15 }, or data.validation = "FILE"',
    ),
    (
        'optimizer={type="sgd",nesterov=true}',
        '--set optimizer={type="sgd",nesterov=true}: optimizer.nesterov: has no effect without '
        "momentum\n  set momentum, 0.9 for example",
    ),
]


@pytest.mark.parametrize(("flag", "text"), GOLDEN, ids=[flag for flag, _ in GOLDEN])
def test_a_mistake_points_at_the_flag(flag: str, text: str) -> None:
    assert said(NAMED, flag) == text


def test_mistakes_of_flags_and_file_come_together() -> None:
    lines = said(PLAIN.replace("units = 10", "units = 0"), "x=1", "layers.9.a=1").splitlines()
    starts = [line.split(": ")[0] for line in lines if not line.startswith("  ")]
    assert starts == ["--set layers.9.a=1", "--set x=1", "s.toml:10:9"]


def test_a_key_that_is_there_may_be_what_an_override_means():
    """``unit`` is one edit from ``init`` too, but begins like ``units``."""
    assert 'did you mean "units"?' in said(PLAIN, "layers.1.unit=4")


def test_what_a_table_opened_by_a_flag_lacks_points_at_the_flag() -> None:
    told = said(PLAIN, "schedule.final=0.1")
    assert told.startswith('--set schedule.final=0.1: schedule.type: missing "type"')
