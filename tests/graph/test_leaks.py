"""A network that predicts at every step what its own input will be must not see it."""

from __future__ import annotations

import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph.networks import problems

MSE = '[loss]\ntype = "mse"\n'
CAUSAL = 'conv1d filters=4 kernel_size=3 padding="causal"\n'


def leaks(layers: str, steps: int | None = 8, ahead: int | None = 1) -> list[str]:
    target = TargetInfo("number", 1, steps=steps, ahead=ahead)
    found = problems(layers, MSE, DataInfo({"": (8, 2)}, {"": target}, 100))
    return [message for message in found if "reads its own answer" in message]


@pytest.mark.parametrize(
    ("layers", "ahead", "sees"),
    [
        (CAUSAL + 'conv1d filters=1 kernel_size=3 padding="same"', 1, (0, 1, 1)),
        ('conv1d filters=1 kernel_size=5 padding="same"', 2, (0, 2, 2)),
        (CAUSAL + "flatten\ndense units=8\nreshape shape=[8,1]", 1, (0, 1, 7)),
        (CAUSAL + "group_norm groups=1\nconv1d filters=1 kernel_size=1", 3, (0, 3, 7)),
        ('layer_norm axes="all"\nconv1d filters=1 kernel_size=1', 1, (0, 1, 7)),
        ("avg_pool1d\nup_sampling1d\nconv1d filters=1 kernel_size=1", 1, (0, 1, 1)),
    ],
)
def test_two_sided(layers: str, ahead: int, sees: tuple[int, int, int]) -> None:
    (message,) = leaks(layers, ahead=ahead)
    step, answer, end = sees
    assert (
        f"step {step} is to predict step {answer}, and sees the input up to step {end}" in message
    )


@pytest.mark.parametrize(("padding", "count"), [("causal", 0), ("same", 1)])
def test_tokens(padding: str, count: int) -> None:
    target = TargetInfo("class", 5, tuple("abcde"), steps=8, ahead=1)
    info = DataInfo({"": (8,)}, {"": target}, 100, vocabularies={"": 5})
    layers = f'embedding units=4\nconv1d filters=5 kernel_size=3 padding="{padding}"'
    found = problems(layers, info=info)
    assert len(found) == count and all("reads its own answer" in message for message in found)


@pytest.mark.parametrize(
    ("layers", "steps", "ahead"),
    [
        (CAUSAL + 'conv1d filters=1 kernel_size=2 dilation=2 padding="causal"', 8, 1),
        ('conv1d filters=1 kernel_size=3 padding="same"', 8, 2),
        ("layer_norm\nconv1d filters=1 kernel_size=1", 8, 1),
        ('conv1d filters=1 kernel_size=3 padding="same"', 8, None),
        ('conv1d filters=1 kernel_size=3 padding="same"\nflatten\ndense units=1', None, 1),
        ("flatten\ndense units=8\nreshape shape=[8,1]", 8, 8),
    ],
    ids=["causal", "far ahead", "step by step", "no input", "after the last step", "all beyond"],
)
def test_no_leak(layers: str, steps: int | None, ahead: int | None) -> None:
    assert leaks(layers, steps, ahead) == []
