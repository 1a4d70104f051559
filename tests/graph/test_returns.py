"""Networks that give a state for every step where one is wanted, or one where each is: the remedy
is named at once, in the layer that has it."""

from __future__ import annotations

import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph.networks import hints, problems

ONE = {"": TargetInfo("class", 3)}
EACH = {"": TargetInfo("class", 3, steps=5, ahead=1)}
VARIED = DataInfo({"": (5, 2)}, ONE, 20, lengths=("",))
FIXED = DataInfo({"": (5, 2)}, ONE, 20)
AHEAD = DataInfo({"": (5, 2)}, EACH, 20)


@pytest.mark.parametrize(
    ("info", "layers", "remedy"),
    [
        (VARIED, "lstm units=4\ndense units=3", 'returns = "last" in "lstm_1"'),
        (FIXED, "gru units=4\ntanh\ndense units=3", 'returns = "last" in "gru_1"'),
        (
            VARIED,
            'bidirectional layer={type="rnn",units=4}\ndense units=3',
            'returns = "last" in the layer of "bidirectional_1"',
        ),
        (VARIED, "conv1d filters=4 kernel_size=2\ndense units=3", "global_max_pool"),
        (FIXED, "conv1d filters=4 kernel_size=2\ndense units=3", '"flatten"'),
        (AHEAD, 'rnn units=4 returns="last"\ndense units=3', 'returns = "sequence" in "rnn_1"'),
    ],
)
def test_the_remedy_is_named(info: DataInfo, layers: str, remedy: str) -> None:
    (hint,) = hints(layers, info=info)
    assert remedy in hint, hint


def test_what_has_no_steps_is_no_leak() -> None:
    (said,) = problems('rnn units=4 returns="last"\ndense units=3', info=AHEAD)
    assert "needs 5 steps of outputs" in said
