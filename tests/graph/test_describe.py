"""Numbers of a network, against sums done by hand."""

from __future__ import annotations

import pytest

from nnctl.graph.describe import describe, human_bytes, human_count, is_stack
from nnctl.spec.info import DataInfo, TargetInfo

from .networks import IMAGES, LOSS, graph

MLP = 'flatten\ndense units=64 activation="relu"\ndense units=10 name="head"'


def test_rows_and_totals() -> None:
    found = describe(graph(MLP, info=IMAGES), 32, itemsize=4, slots=2)
    rows = [(r.name, r.type, r.shape, r.parameters, r.inputs) for r in found.rows]
    assert rows == [
        ("input", "input", "8x8x1", 0, ()),
        ("flatten_1", "flatten", "64", 0, ("input",)),
        ("dense_1", "dense + relu", "64", 64 * 64 + 64, ("flatten_1",)),
        ("head", "dense", "10", 64 * 10 + 10, ("dense_1",)),
    ]
    # Outputs of one sample: input, flatten, dense, relu, head.
    assert found.activation_bytes == 4 * 32 * (64 + 64 + 64 + 64 + 10)
    assert found.parameters == 4160 + 650
    assert found.parameter_bytes == found.gradient_bytes == 4 * 4810
    assert found.optimizer_bytes == 2 * 4 * 4810
    assert found.bytes == found.activation_bytes + 4 * 4 * 4810


def test_recurrent_layers_keep_numbers_of_every_step() -> None:
    series = DataInfo({"": (6, 5)}, {"": TargetInfo("class", 3)}, 100)
    layers = 'lstm units=8\ngru units=16\nrnn units=4 returns="last"\ndense units=3'
    found = describe(graph(layers, info=series), 10, itemsize=4)
    kept = {row.type: (row.steps, row.step_bytes, row.trace_bytes) for row in found.rows}
    # lstm: four gates, h and c; gru: three gates of x, three of h, and h; rnn: its sum and h.
    numbers = {"lstm": 6 * 8, "gru": 7 * 16, "rnn": 2 * 4}
    for kind, count in numbers.items():
        assert kept[kind] == (6, 40 * count, 7 * 40 * count)  # six steps and the start
    assert kept["dense"] == (None, 0, 0)
    assert found.trace_bytes == 7 * 40 * sum(numbers.values())
    outputs = found.activation_bytes
    assert found.bytes == outputs + found.trace_bytes + 2 * found.parameter_bytes


def test_steps_taken_again_are_kept_by_segments_and_counted_twice() -> None:
    series = DataInfo({"": (10, 5)}, {"": TargetInfo("class", 3)}, 100, stride=10)
    layers = 'lstm units=8 stateful=true ?\ngru units=16 returns="last"\ndense units=3'
    rest = f"{LOSS}[training]\nshuffle = false\n"
    plain, again = (
        describe(graph(layers.replace("?", more), rest, series), 7).rows[1]
        for more in ("", "gradient_checkpointing=true")
    )
    # four steps and the start of one segment, and h and c after each of three
    assert (again.segment, again.trace_bytes) == (4, 28 * (5 * 48 + 3 * 16))
    assert again.unrolled_bytes == plain.trace_bytes == 28 * 11 * 48
    assert again.backward_flops == plain.backward_flops + plain.forward_flops
    assert again.carried_bytes == 28 * 16


def test_both_directions_are_counted() -> None:
    series = DataInfo({"": (6, 5)}, {"": TargetInfo("class", 3)}, 100)
    layers = 'bidirectional layer={type="lstm",units=8,returns="last"}\ndense units=3'
    row = describe(graph(layers, info=series), 10).rows[1]
    assert (row.step_bytes, row.trace_bytes) == (40 * 2 * 48, 40 * 7 * 2 * 48)


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_what_is_told_of_a_trace_is_what_the_engine_takes(kind: str) -> None:
    """But for rows that are rounded up to an odd number of whole vectors."""
    from nnctl.engine.kernel import Split
    from nnctl.ops import registry
    from nnctl.ops.registry import Site

    series = DataInfo({"": (6, 5)}, {"": TargetInfo("class", 3)}, 100)
    network = graph(f'{kind} units=32 name="r" returns="last"\ndense units=3', info=series)
    node, batch, lanes = network.node("r"), 7, 8
    site = Site(
        (30,), 32, ((6, 5),), node.shape, node.fields, (False,), False, tuple(node.params),
        batch, lanes, Split(batch, 1, 1, 1, 1),
    )  # fmt: skip
    row = next(row for row in describe(network, batch, itemsize=1).rows if row.name == "r")
    taken = registry.find(kind).saved["trace"](site)
    assert 0 <= taken - row.trace_bytes <= 7 * batch * lanes


def test_flops() -> None:
    found = describe(graph(MLP, info=IMAGES), 1)
    first, head = found.rows[2], found.rows[3]
    # A multiply-add is two; the bias is one; relu is one.
    assert first.forward_flops == 64 * (2 * 64 + 1) + 64
    assert head.forward_flops == 10 * (2 * 64 + 1)
    # The first layer needs no gradient of its input; the head needs both of its.
    assert first.backward_flops == first.forward_flops
    assert head.backward_flops == 2 * head.forward_flops


def test_a_tied_parameter_counts_once() -> None:
    layers = 'dense units=8 name="enc" bias=false\ntanh\n'
    layers += 'dense units=4 share="enc" transposed=true bias=false name="dec"\ndense units=3'
    found = describe(graph(layers), 1)
    rows = {row.name: row for row in found.rows}
    assert (rows["enc"].parameters, rows["enc"].tied) == (32, ())
    assert (rows["dec"].parameters, rows["dec"].tied) == (0, ("enc.w",))
    assert found.parameters == 32 + 15


def test_float64_takes_twice_the_bytes() -> None:
    built = graph("dense units=3")
    assert describe(built, 7, itemsize=8).bytes == 2 * describe(built, 7).bytes


def test_a_stack_is_told_from_a_graph() -> None:
    assert is_stack(describe(graph(MLP, info=IMAGES), 1).rows)
    branch = 'dense units=3 name="a"\ndense units=3 name="b" from="input"\nadd from=["a","b"]'
    assert not is_stack(describe(graph(branch, LOSS), 1).rows)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (3 * 2**30, "3.0 GiB")],
)
def test_bytes_for_people(count: int, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (999, "999"), (1250, "1.2 k"), (10**7, "10.0 M")]
)
def test_counts_for_people(count: int, text: str) -> None:
    assert human_count(count) == text
