"""What a layer that goes on from batch to batch asks of the data and of the settings beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph import networks

LAYERS = 'lstm units=3 stateful=true name="r"\ndense units=2'
INFO = DataInfo({"": (8, 2)}, {"": TargetInfo("number", 2, steps=8)}, 100, stride=8)
LOSS = '[loss]\ntype = "mse"\n[training]\n'
IN_ORDER = "shuffle = false\n"


def problems(
    layers: str = LAYERS, info: DataInfo = INFO, more: str = IN_ORDER, data: str = ""
) -> str:
    said = networks.problems(layers, LOSS + more, info, data=networks.HEAD + data)
    return "\n".join(said)


def test_windows_in_order_are_what_it_asks_for() -> None:
    assert problems() == ""
    graph = networks.graph(LAYERS, LOSS + IN_ORDER, INFO)
    assert graph.carried == ("r.carried",)
    assert graph.states["r.carried"].pieces == ("r.h", "r.c")


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        (replace(INFO, stride=None), "samples in random parts"),
        (replace(INFO, stride=None, lengths=("",)), "sequences of several lengths"),
    ],
)
def test_samples_that_do_not_go_on_are_refused(info: DataInfo, kind: str) -> None:
    said = problems(info=info)
    assert said.startswith("net.toml:8:"), said
    assert f'"r" goes on where the batch before ended, and these are {kind}' in said


@pytest.mark.parametrize(
    ("more", "place", "reason"),
    [
        ("shuffle = true\n", 17, "the order of windows is not random"),
        ("", 16, "the order of windows is not random"),
        (f'batch_size = "full"\n{IN_ORDER}', 17, '"full" every window is a stream of its own'),
    ],
)
def test_settings_that_mix_windows_are_refused(more: str, place: int, reason: str) -> None:
    said = problems(more=more)
    assert reason in said and said.startswith(f"net.toml:{place}:"), said


def test_windows_that_overlap_and_a_limit_are_refused() -> None:
    said = problems(info=replace(INFO, stride=2), data="window = 8\nstride = 2\n")
    assert "windows lie side by side, expected 8, given 2" in said and ":5:" in said
    assert "limit leaves windows out" in problems(data="limit = 50\n")


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ("gru units=3 stateful=true backward=true", "cannot hold with backward = true"),
        ('bidirectional layer={type="gru",units=3,stateful=true}', "cannot hold here"),
        (
            'dense units=3 name="d"\ngru units=3 returns="last" name="s"\n'
            'gru units=3 stateful=true from=["d","s"]',
            "it starts where the batch before ended, not from a layer",
        ),
    ],
)
def test_what_cannot_go_on_is_refused(layers: str, reason: str) -> None:
    assert reason in problems(f"{layers}\ndense units=2")
