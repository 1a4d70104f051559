"""Each lint speaks where it should, and is silent where it should not."""

from __future__ import annotations

import pytest

from nnctl.graph import build
from nnctl.graph.lint import lint, lints
from nnctl.spec.info import DataInfo, TargetInfo

from .networks import LOSS, NUMBERS, ROWS, spec

BINARY = DataInfo({"": (4,)}, {"": TargetInfo("class", 2)}, 100)
FULL = f'{LOSS}[training]\nbatch_size="full"\n'
BATCH = f"{LOSS}[training]\nbatch_size={{}}\n"
SCHEDULE = '[schedule]\ntype="linear_annealing"\nfinal=0.0001\nepochs={}\n'
MSE = '[loss]\ntype="mse"\n'

CONVS = "conv2d filters=4 kernel_size=3{}\nconv2d filters=4 kernel_size=1\nflatten\nrelu\n"
CONVS += "dense units=3"
IMAGES = DataInfo({"": (5, 5, 2)}, ROWS.targets, 100)

STEPS = {"": TargetInfo("class", 3, steps=5)}
TOKENS = DataInfo({"": (5,)}, STEPS, 100, vocabularies={"": 7})
COUNTS = DataInfo({"": (5,)}, ROWS.targets, 100, vocabularies={"": 7})
SERIES = DataInfo({"": (5, 2)}, STEPS, 100)
AMOUNTS = DataInfo({"": (5, 2)}, {"": TargetInfo("number", 1, steps=4)}, 100)
BACK = "output_rnn units=4 outputs=3 output_activation={}"
SAYS = 'encoder_decoder encoder=[{type="gru",units=4}] decoder=[{type="gru",units=4},'
SAYS += '{type="dense",units=1}] '

# lint, layers, rest of the spec, data, what it says (nothing: it must be silent)
CASES = [
    ("stacked_linear", "dense units=5\ndense units=3", LOSS, ROWS, "layers.0"),
    ("stacked_linear", "dense units=5\ndropout\ndense units=3", LOSS, ROWS, "layers.0"),
    (
        "stacked_linear",
        'dense units=5 activation="linear"\ndense units=3',
        LOSS,
        ROWS,
        "layers.0",
    ),
    ("stacked_linear", 'dense units=5 activation="relu"\ndense units=3', LOSS, ROWS, ""),
    ("stacked_linear", "dense units=5\nsoftmax\ndense units=3", LOSS, ROWS, ""),
    ("stacked_linear", "dense units=2\ndense units=3", LOSS, ROWS, ""),  # a bottleneck
    ("stacked_linear", CONVS.format(""), LOSS, IMAGES, "layers.0"),
    ("stacked_linear", CONVS.format(" groups=2"), LOSS, IMAGES, ""),
    (
        "same_start",
        'dense units=5 init="zeros"\nrelu\ndense units=3',
        LOSS,
        ROWS,
        "layers.0.init",
    ),
    ("same_start", 'dense units=3 init="zeros"', LOSS, ROWS, ""),
    ("same_start", 'dense units=5 init="normal"\nrelu\ndense units=3', LOSS, ROWS, ""),
    ("squashed_signals", 'dense units=3 activation="relu"', LOSS, ROWS, "layers.0.activation"),
    ("squashed_signals", "dense units=3\ntanh", LOSS, ROWS, "layers.1"),
    ("squashed_signals", 'dense units=3 activation="linear"', LOSS, ROWS, ""),
    ("squashed_signals", 'dense units=1 activation="relu"', MSE, NUMBERS, ""),
    ("squashed_signals", BACK.format('"tanh"'), LOSS, SERIES, "layers.0"),
    ("squashed_signals", BACK.format('"tanh" signals=true'), LOSS, SERIES, ""),
    ("stacked_linear", SAYS + 'attention={score="additive",units=4}', MSE, AMOUNTS, ""),
    ("numbers_for_classes", SAYS + "stop_head=true", MSE, AMOUNTS, ""),
    ("numbers_for_classes", "dense units=3", MSE, ROWS, "loss"),
    ("numbers_for_classes", "dense units=1", MSE, NUMBERS, ""),
    ("numbers_for_classes", "dense units=1", '[loss]\ntype="binary_cross_entropy"\n', BINARY, ""),
    ("long_schedule", "dense units=3", LOSS + SCHEDULE.format(11), ROWS, "schedule.epochs"),
    ("long_schedule", "dense units=3", LOSS + SCHEDULE.format(10), ROWS, ""),
    (
        "large_batch",
        "dense units=3",
        BATCH.format(113),
        ROWS,
        "training.batch_size",
    ),
    ("large_batch", "dense units=3", BATCH.format(112), ROWS, ""),
    ("large_batch", "dense units=3", FULL, ROWS, ""),
    ("tokens_as_amounts", "reshape shape=[5,1]\ndense units=3", LOSS, TOKENS, "layers.0"),
    ("tokens_as_amounts", "embedding units=4\nrelu\ndense units=3", LOSS, TOKENS, ""),
    ("tokens_as_amounts", "dense units=3", LOSS, COUNTS, ""),
    ("hopeless_gates", "dense units=3", f'{LOSS}[gates]\nmse="<1"\n', ROWS, "gates.mse"),
    ("hopeless_gates", "dense units=3", f'{LOSS}[gates]\naccuracy=">=0.5"\n', ROWS, ""),
]


@pytest.mark.parametrize(("name", "layers", "rest", "info", "expected"), CASES)
def test_lint(name: str, layers: str, rest: str, info: DataInfo, expected: str) -> None:
    loaded = spec(layers, rest)
    found = lint(loaded, info, build(loaded, info))
    if not expected:
        assert found == []
    else:
        (problem,) = found
        assert problem.path == expected
        assert problem.message.startswith("warning: ")
        assert problem.hint
        assert problem.line > 0


def test_every_lint_has_a_case_that_speaks_and_one_that_is_silent() -> None:
    assert set(lints()) == {name for name, *_, said in CASES if said}
    assert set(lints()) == {name for name, *_, said in CASES if not said}
