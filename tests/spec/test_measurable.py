"""Metrics, monitors, gates and class weights against the data's header."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nnctl.metrics.registry import _METRICS, discover
from nnctl.metrics.sequences import Sequences
from nnctl.metrics.views import Classified, Ending, Forecast, MultiLabel, Regressed
from nnctl.spec import load_spec
from nnctl.spec.info import DataInfo, TargetInfo
from nnctl.spec.measurable import check, gates
from nnctl.spec.metrics import METRICS
from tests.spec.helpers import PLAIN, SPECS, load

SPECIES = ("setosa", "versicolor", "virginica")
CLASSES = TargetInfo("class", 3, SPECIES)
NUMBERS = TargetInfo("number", 2)
ROWS = TargetInfo("rows", 3)
MSE = PLAIN.replace("cross_entropy", "mse")
BINARY = PLAIN.replace("cross_entropy", "binary_cross_entropy")
TWO = PLAIN.replace("[loss]", "[loss.dense_2]") + (
    'target = "a"\n[[layers]]\nname = "other"\ntype = "dense"\nunits = 2\nfrom = "dense_1"\n'
    '[loss.other]\ntype = "mse"\ntarget = "b"\n'
)
TARGETS = 'data.targets={a="x",b="y"}'


def said(text: str, flags: list[str], **targets: TargetInfo) -> list[str]:
    """All that is found, as path and message."""
    spec = load(text, *flags)
    info = DataInfo({"": (8, 8, 1)}, {n.rstrip("_"): t for n, t in targets.items()}, 100)
    found = [*check(spec, info), *gates(spec, info)]
    return [f"{'.'.join(map(str, f.path))}: {f.message}" for f in found]


@pytest.mark.parametrize(
    ("text", "target", "flag", "expected"),
    [
        (PLAIN, CLASSES, 'metrics=["accuracy","recall[setosa]","top_2_accuracy","loss"]', []),
        (PLAIN, CLASSES, "metrics=mse",
         ['metrics.0: "mse" is not measured: the target is classes']),
        (PLAIN, CLASSES, 'metrics="recall[setsa]"',
         ['metrics.0: no class is named "setsa"']),
        (PLAIN, CLASSES, 'metrics="exact_match"',
         ['metrics.0: "exact_match" is not measured: the target is classes']),
        (MSE, CLASSES, "metrics=accuracy", []),
        (MSE, NUMBERS, "metrics=accuracy",
         ['metrics.0: "accuracy" is not measured: the target is numbers']),
        (MSE, NUMBERS, "metrics=r2", []),
        (MSE, NUMBERS, "metrics=skill",
         ['metrics.0: "skill" is not measured: the target is numbers']),
        (MSE, replace(NUMBERS, ahead=1), 'metrics=["skill", "naive_mae", "mae"]', []),
        (MSE, ROWS, "metrics=r2", []),
        (PLAIN, ROWS, "metrics=accuracy", []),
        (PLAIN, ROWS, 'metrics="recall[2]"', []),
        (PLAIN, ROWS, 'metrics="recall[3]"', ['metrics.0: no class is named "3"']),
        (BINARY, ROWS, "metrics=exact_match", []),
        (PLAIN, CLASSES, "metrics=head.accuracy",
         ['metrics.0: there is only one output, and no "head"']),
        (PLAIN, CLASSES, 'gates.mse="<1"',
         ['gates.0: "mse" is not measured: the target is classes: this gate is never met']),
        (PLAIN, CLASSES, 'gates={loss="<1", "recall[virginica]"=">=0.5"}', []),
        (PLAIN, CLASSES, "loss.class_weights=balanced", []),
        (PLAIN, CLASSES, "loss.class_weights={setosa=2}", []),
        (PLAIN, CLASSES, "loss.class_weights={setsa=2,x=1}",
         ['loss..class_weights.setsa: no class is named "setsa"',
          'loss..class_weights.x: no class is named "x"']),
        (PLAIN, CLASSES, "loss.class_weights=[1,2]",
         ["loss..class_weights: expected 3 weights, one a class, given 2"]),
        (PLAIN, CLASSES, "loss.class_weights=[1,2,3]", []),
        (PLAIN, ROWS, "loss.class_weights=balanced",
         ["loss..class_weights: has no effect: the target is no class"]),
    ],
)  # fmt: skip
def test_one_output(text: str, target: TargetInfo, flag: str, expected: list[str]) -> None:
    assert said(text, [flag], _=target) == expected


@pytest.mark.parametrize("tokens", ["character", "word", "byte"])
def test_bits_of_a_character_are_those_of_steps_that_are_characters(tokens: str) -> None:
    flags = ["metrics=bits_per_character", "data.source=./a.txt", f"data.tokens={tokens}"]
    found = said(PLAIN, flags, _=replace(CLASSES, steps=4))
    message = '"bits_per_character" is not measured: a step is no character here (data.tokens)'
    assert found == ([] if tokens == "character" else [f"metrics.0: {message}"])


@pytest.mark.parametrize("ends", ["true", "false"])
def test_ends_are_measured_where_they_are_learned(ends: str) -> None:
    spec = load_spec(SPECS / "ringdown_stop_head.toml", [f"layers.0.stop_head={ends}"])
    spec = spec.model_copy(update={"metrics": ("length_error",)})
    info = DataInfo({"": (12, 1)}, {"": replace(NUMBERS, width=1, steps=24)}, 100)
    message = '"length_error" is not measured: the target is numbers'
    assert [f.message for f in check(spec, info)] == ([] if ends == "true" else [message])


def test_monitors() -> None:
    flags = [
        "data.split.validation=0.1",
        "training.early_stopping.monitor=validation.mse",
        "checkpoint.monitor=validation.recall[setsa]",
    ]
    assert said(PLAIN, flags, _=CLASSES) == [
        'training.early_stopping.monitor: "mse" is not measured: the target is classes',
        'checkpoint.monitor: no class is named "setsa"',
    ]


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ('metrics=["dense_2.accuracy", "other.mse", "loss"]', []),
        ("metrics=accuracy",
         ["metrics.0: which output's accuracy? There are 2: dense_2, other"]),
        ("metrics=othr.mse", ['metrics.0: no output is named "othr"']),
        ("metrics=other.accuracy",
         ['metrics.0: "accuracy" is not measured: the target is numbers']),
        ("metrics=other.loss", ["metrics.0: the loss is that of all outputs together"]),
    ],
)  # fmt: skip
def test_several_outputs(flag: str, expected: list[str]) -> None:
    assert said(TWO, [TARGETS, flag], a=CLASSES, b=NUMBERS) == expected


def test_a_gate_in_a_table_stands_at_its_key() -> None:
    spec = load(PLAIN + '[gates]\naccuracy = ">=0.5"\nmse = "<1"\n')
    assert spec.problem(("gates", 1), "x").line == 15


def test_the_kinds_are_those_of_the_views() -> None:
    discover()
    kinds = {
        Classified: "classes",
        MultiLabel: "labels",
        Regressed: "numbers",
        Forecast: "forecasts",
        Ending: "numbers that end",
        Sequences: "classes of steps",
    }
    for name, metric in METRICS.items():
        own = {view for known, view in _METRICS if known == name}
        views = {kind for view, kind in kinds.items() if issubclass(view, tuple(own))}
        if views:
            assert views == set(metric.kinds), name
