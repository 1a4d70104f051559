"""Recurrent networks drawn step by step."""

from __future__ import annotations

import xml.etree.ElementTree as xml

import pytest

from nnctl.errors import UsageError
from nnctl.graph.boxes import boxes
from nnctl.graph.draw import to_dot, to_svg
from nnctl.graph.unrolled import unrolled
from nnctl.spec.info import DataInfo, TargetInfo

from .networks import graph

SERIES = DataInfo({"": (6, 5)}, {"": TargetInfo("class", 3)}, 100)
STACK = """
    lstm units=8 name="a"
    relu name="r"
    gru units=4 name="b" returns="last" backward=true
    dense units=3 name="head"
"""


def edges(text: str) -> set[tuple[str, str]]:
    found = (box for box in unrolled(graph(text, info=SERIES), 3))
    return {(source, box.name) for box in found for source in box.inputs}


def test_states_are_handed_on_and_steps_read_their_own() -> None:
    assert edges(STACK) == {
        *((f"input[{k}]", f"a[{k}]") for k in (1, 2, 3)),
        *((f"a[{k}]", f"a[{k + 1}]") for k in (0, 1, 2)),
        *((f"a[{k}]", f"r[{k}]") for k in (1, 2, 3)),
        *((f"r[{k}]", f"b[{k}]") for k in (1, 2, 3)),
        *((f"b[{k + 1}]", f"b[{k}]") for k in (1, 2, 3)),
        ("b[1]", "head"),
        ("head", "loss of head"),
    }


BOTH = 'bidirectional layer={type="gru",units=4} name="b"\n'


def test_both_directions_are_chains_of_their_own_joined_at_each_step() -> None:
    text = f'{BOTH}rnn units=2 returns="last" name="r"\ndense units=3 name="head"'
    steps = (1, 2, 3)
    assert edges(text) == {
        *((f"input[{k}]", f"b.{way}[{k}]") for k in steps for way in ("forward", "backward")),
        *((f"b.forward[{k - 1}]", f"b.forward[{k}]") for k in steps),
        *((f"b.backward[{k + 1}]", f"b.backward[{k}]") for k in steps),
        *((f"b.{way}[{k}]", f"b[{k}]") for k in steps for way in ("forward", "backward")),
        *((f"b[{k}]", f"r[{k}]") for k in steps),
        *((f"r[{k - 1}]", f"r[{k}]") for k in steps),
        ("r[3]", "head"),
        ("head", "loss of head"),
    }
    found = {box.name: box.detail for box in unrolled(graph(text, info=SERIES), 3)}
    assert found["b.backward[3]"].startswith("gru, 4, weights b.backward.w")
    assert found["b.backward[1]"].startswith("gru, 4, tied to b.backward.w")
    assert found["b[2]"] == "concat, 8"


def test_the_last_states_of_both_directions_are_joined_once() -> None:
    layer = BOTH.replace("units=4", 'units=4,returns="last"')
    found = edges(f'{layer}dense units=3 name="head"')
    assert {("b.forward[3]", "b"), ("b.backward[1]", "b"), ("b", "head")} <= found


def test_a_state_that_another_layer_gives_is_where_it_starts() -> None:
    text = (
        'rnn units=4 name="a" returns="last"\n'
        'gru units=4 name="b" from=["input","a"] returns="last"\ndense units=3'
    )
    assert ("a[3]", "b[0]") in edges(text) and ("input[1]", "b[1]") in edges(text)


def test_a_start_that_is_trained_or_goes_on() -> None:
    text = (
        'lstm units=4 initial_state="learned" name="a"\nrnn units=2 returns="last"\ndense units=3'
    )
    found = {box.name: box for box in unrolled(graph(text, info=SERIES), 2)}
    assert found["a[0]"].detail == "weights a.h0, a.c0"
    assert found["a[1]"].detail == "lstm, 4, weights a.w, a.u, a.b"
    series = DataInfo({"": (8, 2)}, {"": TargetInfo("number", 2, steps=8)}, 100, stride=8)
    rest = '[loss]\ntype = "mse"\n[training]\nshuffle = false\n'
    found = {
        box.name: box
        for box in unrolled(
            graph('lstm units=3 stateful=true name="a"\ndense units=2', rest, series), 2
        )
    }
    assert found["a[0]"].detail == "what the window before ended with"


def test_what_is_taught_is_read_at_all_steps_but_the_first() -> None:
    info = DataInfo({"": (6, 5)}, {"": TargetInfo("number", 2, steps=6)}, 100)
    text = 'output_rnn units=4 outputs=2 name="a"{}'
    mse = '[loss]\ntype = "mse"\n'

    def drawn(more: str) -> set[tuple[str, str]]:
        found = unrolled(graph(text.format(more), mse, info), 3)
        assert {box.name for box in found if box.kind == "input"} == {
            source for box in found for source in box.inputs if source.startswith(("input", "a[0]"))
        }
        return {(s, box.name) for box in found for s in box.inputs if box.kind == "layer"}

    inputs = {(f"input[{k}]", f"a[{k}]") for k in (1, 2, 3)}
    fed = {(f"input.a.previous[{k}]", f"a[{k}]") for k in (2, 3)}
    assert drawn("") == inputs | fed | {("a[0]", "a[1]")}
    own = {(f"a[{k - 1}]", f"a[{k}]") for k in (1, 2, 3)}
    assert drawn(" teacher_forcing=false") == inputs | own


def test_states_and_weights_are_named_and_weights_tied() -> None:
    found = {box.name: (box.title, box.detail) for box in unrolled(graph(STACK, info=SERIES), 3)}
    assert found["a[0]"] == ("a h0, c0", "zeros")
    assert found["a[1]"] == ("a h1, c1", "lstm, 8, weights a.w, a.u, a.b")
    assert found["a[3]"] == ("a h3, c3", "lstm, 8, tied to a.w, a.u, a.b")
    assert found["b[3]"] == ("b h3", "gru, 4, weights b.w, b.u, b.b, b.b_h")
    assert found["b[1]"][1].startswith("gru, 4, tied to b.w")
    assert found["input[2]"] == ("input 2", "5") and found["r[2]"] == ("r 2", "relu, 8")


def test_what_is_no_part_of_the_sequence_stays_one_box() -> None:
    text = 'conv1d filters=5 kernel_size=2 name="c"\nrnn units=4 name="r"\nflatten name="f"\n'
    assert edges(text + 'dense units=3 name="head"') == {
        ("input", "c"),
        *(("c", f"r[{k}]") for k in (1, 2, 3)),
        *((f"r[{k}]", f"r[{k + 1}]") for k in (0, 1, 2)),
        *((f"r[{k}]", "f") for k in (1, 2, 3)),
        ("f", "head"),
        ("head", "loss of head"),
    }


def test_a_layer_that_shares_weights_is_tied_at_every_step() -> None:
    text = 'rnn units=5 name="a"\nrnn units=5 name="b" share="a" returns="last"\ndense units=3'
    found = {box.name: box.detail for box in unrolled(graph(text, info=SERIES), 2)}
    assert "weights" in found["a[1]"]
    assert all("tied to a.w" in found[name] for name in ("a[2]", "b[1]", "b[2]"))


def test_both_pictures_hold_every_box_and_edge() -> None:
    network, found = graph(STACK, info=SERIES), len(edges(STACK))
    assert to_dot(network, "net", 3).count(" -> ") == found
    root = xml.fromstring(to_svg(network, "net", 3))
    svg = "{http://www.w3.org/2000/svg}"
    assert len(list(root.iter(f"{svg}path"))) == found
    assert len(boxes(network)) == 6 and "a[1]" not in to_dot(network)


@pytest.mark.parametrize("steps", [0, 7])
def test_more_steps_than_there_are(steps: int) -> None:
    with pytest.raises(UsageError, match=f'1 to 6 steps, given {steps} .*"a" has 6'):
        unrolled(graph(STACK, info=SERIES), steps)


def test_nothing_to_unroll() -> None:
    with pytest.raises(UsageError, match="no layer of this network is recurrent"):
        unrolled(graph("dense units=3"), 2)
