"""A network that gives at every step what its own input will be must not see it."""

from __future__ import annotations

import pytest

from nnctl.errors import SpecError
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph.networks import LOSS, graph, hints, problems

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
        ("reshape shape=[2,8]\ndense units=4\nreshape shape=[8,1]", 1, (0, 1, 7)),
        ('conv1d filters=1 kernel_size=4 padding=[3,0] padding_mode="reflect"', 1, (0, 1, 3)),
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
        ('conv1d filters=1 kernel_size=4 padding="causal" padding_mode="edge"', 8, 1),
        ("layer_norm\nconv1d filters=1 kernel_size=1", 8, 1),
        ('conv1d filters=1 kernel_size=3 padding="same"', 8, None),
        ('conv1d filters=1 kernel_size=3 padding="same"\nflatten\ndense units=1', None, 1),
        ("flatten\ndense units=8\nreshape shape=[8,1]", 8, 8),
    ],
    ids=[
        "causal",
        "far ahead",
        "edge",
        "step by step",
        "no input",
        "after the last step",
        "all beyond",
    ],
)
def test_no_leak(layers: str, steps: int | None, ahead: int | None) -> None:
    assert leaks(layers, steps, ahead) == []


@pytest.mark.parametrize(
    ("held_by", "two_sided", "count"),
    [(None, "p", 1), (None, "q", 1), (("p",), "p", 1), (("p",), "q", 0), (("p", "q"), "none", 0)],
)
def test_several_inputs(held_by: tuple[str, ...] | None, two_sided: str, count: int) -> None:
    """Only an input that the target is in can hold the answer."""
    target = TargetInfo("number", 1, steps=6, ahead=1, held_by=held_by)
    info = DataInfo({"p": (6, 1), "q": (6, 2)}, {"": target}, 100)
    data = '[data]\nsource="t.npz"\ntarget="y"\nwindow=6\ninputs={p="p",q="q"}'
    cell = '{type="gru",units=3}'
    layers = "\n".join(
        f'bidirectional layer={cell} name="{name}" from="input.{name}"'
        if name == two_sided
        else f'gru units=3 name="{name}" from="input.{name}"'
        for name in "pq"
    )
    layers += '\nconcat from=["p","q"]\ndense units=1'
    found = [m for m in problems(layers, MSE, info, data=data) if "reads its own answer" in m]
    assert len(found) == count
    assert all(
        f'step 0 is to predict step 1, and sees "input.{two_sided}" up to' in m for m in found
    )


def decoding(decoder: str, more: str = "", ahead: int | None = None) -> tuple[str, DataInfo, str]:
    """A network of an encoder and such a decoder, for sequences of numbers."""
    layers = f'encoder_decoder encoder=[{{type="gru",units=3}}] decoder=[{decoder}] {more}'
    info = DataInfo({"": (6, 1)}, {"": TargetInfo("number", 1, steps=6, ahead=ahead)}, 100)
    return layers, info, MSE


def said(layers: str, info: DataInfo, rest: str) -> list[tuple[str, str]]:
    """What is said of a network's answers, and where."""
    try:
        graph(layers, rest, info)
    except SpecError as error:
        found = [str(problem).split(": ", 2)[1:] for problem in error.problems]
        return [(where, what) for where, what in found if "reads its own answer" in what]
    return []


GRU, DENSE = '{type="gru",units=3}', '{type="dense",units=1}'


@pytest.mark.parametrize(
    ("layer", "sees"),
    [
        ('{type="conv1d",filters=3,kernel_size=3,padding="same"}', 1),
        ('{type="conv1d",filters=3,kernel_size=3,padding=[2,0],padding_mode="reflect"}', 2),
        ('{type="max_pool1d",pool_size=3,stride=1,padding="same"}', 1),
        ('{type="layer_norm",axes="all"}', 5),
        ('{type="group_norm",groups=1}', 5),
    ],
)
@pytest.mark.parametrize("more", ["", 'attention={score="dot"}', "stop_head=true"])
def test_a_decoder_that_looks_ahead(layer: str, sees: int, more: str) -> None:
    """Wherever it stands among the decoder's layers; what reads it is not told too."""
    for place, stack in ((0, [layer, GRU, DENSE]), (1, [GRU, layer, DENSE])):
        ((where, what),) = said(*decoding(",".join(stack), more))
        assert where == f"layers.0.decoder.{place}"
        assert f"at step 0 is fed at step 1, and step 0 sees what is fed up to step {sees}" in what


@pytest.mark.parametrize(
    "layer",
    [
        '{type="conv1d",filters=3,kernel_size=3,padding="causal",padding_mode="edge"}',
        '{type="max_pool1d",pool_size=3,stride=1,padding="causal"}',
        '{type="dense",units=2},{type="layer_norm"}',
        '{type="dropout",rate=0.2}',
    ],
)
@pytest.mark.parametrize("more", ["", 'attention={score="additive",units=2}', "stop_head=true"])
def test_a_decoder_that_goes_forward(layer: str, more: str) -> None:
    assert problems_of(decoding(f"{layer},{GRU},{layer},{DENSE}", more)) == []


def test_a_decoder_of_tokens() -> None:
    """The context at every step has as many steps as what is fed, and reads none of it."""
    target = TargetInfo("class", 5, tuple("abcde"), steps=6)
    info = DataInfo({"": (8,)}, {"": target}, 100, vocabularies={"": 5})
    stack = '{type="embedding",units=4},{type="gru",units=3}'
    for padding, count in (("causal", 0), ("same", 1)):
        conv = f'{{type="conv1d",filters=3,kernel_size=2,padding="{padding}"}}'
        layers = (
            f'encoder_decoder encoder=[{stack}] decoder=[{stack},{conv},{{type="dense",units=5}}]'
        )
        assert len(problems_of((layers, info, LOSS))) == count


def test_what_follows_a_decoder_goes_forward_too() -> None:
    layers, info, rest = decoding(f"{GRU},{DENSE}")
    for cell in ("gru units=2", 'bidirectional layer={type="gru",units=2}'):
        found = said(f"{layers}\n{cell}\ndense units=1", info, rest)
        assert [where for where, _ in found] == ["layers.1"] * cell.startswith("bi")


@pytest.mark.parametrize("more", ["", 'context="start"', 'attention={score="dot"}'])
def test_an_encoder_sees_the_whole_window(more: str) -> None:
    for ahead, count in ((1, 1), (5, 1), (6, 0), (None, 0)):
        found = said(*decoding(f"{GRU},{DENSE}", more, ahead))
        assert len(found) == count
        assert all("step 0 is to predict step" in what and "step 5" in what for _, what in found)
    (hint,) = hints_of(decoding(f"{GRU},{DENSE}", more, 1))
    assert "data.horizon = 6" in hint


def problems_of(net: tuple[str, DataInfo, str]) -> list[str]:
    layers, info, rest = net
    return problems(layers, rest, info)


def hints_of(net: tuple[str, DataInfo, str]) -> list[str]:
    layers, info, rest = net
    return hints(layers, rest, info)
