"""From spec to graph: nodes, shapes, parameters, penalties, starts."""

from __future__ import annotations

import pytest

from nnctl.graph import ParamUse
from nnctl.spec.info import DataInfo, TargetInfo

from .networks import HEAD, IMAGES, LOSS, NUMBERS, ROWS, graph, hints, problems

MLP = 'flatten\ndense units=64 activation="relu"\ndropout rate=0.25\ndense units=10 name="head"'


def test_nodes_of_a_stack() -> None:
    built = graph(MLP, info=IMAGES)
    found = [(n.name, n.op, n.inputs, n.shape, n.layer) for n in built.nodes]
    assert found == [
        ("input", "input", (), (8, 8, 1), ""),
        ("flatten_1", "flatten", ("input",), (64,), "flatten_1"),
        ("dense_1", "dense", ("flatten_1",), (64,), "dense_1"),
        ("dense_1.activation", "relu", ("dense_1",), (64,), "dense_1"),
        ("dropout_1", "dropout", ("dense_1.activation",), (64,), "dropout_1"),
        ("head", "dense", ("dropout_1",), (10,), "head"),
    ]
    assert built.node("dropout_1").fields == {"rate": 0.25}
    assert built.node("head").fields == {"units": 10, "bias": True}
    assert built.node("head").params == {"w": ParamUse("head.w"), "b": ParamUse("head.b")}
    assert built.outputs == ("head",)
    assert [(n.output, n.target, n.type) for n in built.losses] == [("head", "", "cross_entropy")]


def test_parameters_of_a_stack() -> None:
    built = graph(MLP, info=IMAGES)
    found = {p.name: (p.shape, p.kind, p.fan_in, p.fan_out) for p in built.parameters.values()}
    assert found == {
        "dense_1.w": ((64, 64), "weight", 64, 64),
        "dense_1.b": ((64,), "bias", 64, 64),
        "head.w": ((64, 10), "weight", 64, 10),
        "head.b": ((10,), "bias", 64, 10),
    }
    assert built.parameter_count == 64 * 64 + 64 + 64 * 10 + 10


@pytest.mark.parametrize(
    ("behind", "start"),
    [
        ('dense units=5 name="a" activation="relu"', "he_normal"),
        ('dense units=5 name="a" activation="tanh"', "glorot_uniform"),
        ('dense units=5 name="a" activation={type="elu",alpha=0.5}', "he_normal"),
        ('dense units=5 name="a"\nrelu', "he_normal"),
        ('dense units=5 name="a"\ndropout\nreshape shape=[5,1]\ngelu\nflatten', "he_normal"),
        ('dense units=5 name="a"\ntanh\nrelu', "glorot_uniform"),
        ('dense units=5 name="a"\ndense units=5\nrelu', "glorot_uniform"),
        ('dense units=5 name="a" init="normal" activation="relu"', "normal"),
        ('dense units=5 name="a" init={type="constant",value=0.5}\nrelu', "constant"),
    ],
)
def test_start_is_chosen_by_what_follows(behind: str, start: str) -> None:
    built = graph(f"{behind}\ndense units=3")
    assert built.parameters["a.w"].init.type == start
    assert built.parameters["a.b"].init.type == "zeros"


def test_penalties() -> None:
    layers = 'dense units=5 name="a"\nrelu\ndense units=5 name="b" l2=0.5 l1=0\nrelu\ndense units=3'
    built = graph(layers, f"{LOSS}[regularization]\nl1 = 0.25\nl2 = 0.125\n")
    found = {name: (p.l1, p.l2) for name, p in built.parameters.items()}
    assert found["a.w"] == (0.25, 0.125)
    assert found["b.w"] == (0, 0.5)
    assert found["a.b"] == found["b.b"] == (0, 0)
    built = graph(layers, f"{LOSS}[regularization]\nl1 = 0.25\nl2 = 0.125\nbiases = true\n")
    assert {(p.l1, p.l2) for name, p in built.parameters.items() if name.endswith(".b")} == {
        (0.25, 0.125)
    }


def test_layers_may_stand_before_what_they_read() -> None:
    built = graph('dense units=3 from="late" name="head"\ndense units=5 from="input" name="late"')
    assert [node.name for node in built.nodes] == ["input", "late", "head"]


def test_several_inputs_and_outputs() -> None:
    info = DataInfo(
        {"left": (4,), "right": (2, 3)},
        {"kind": TargetInfo("class", 3), "size": TargetInfo("number", 1)},
        100,
    )
    layers = """
        flatten from="input.right" name="flat"
        concat from=["input.left","flat"] name="both"
        dense units=3 name="kind"
        dense units=1 name="value" from="both"
    """
    rest = (
        '[loss.kind]\ntype="cross_entropy"\n[loss.value]\ntype="mse"\ntarget="size"\nweight=0.5\n'
    )
    data = """[data]
        source="t.csv"
        inputs={left=["a","b","c","d"],right=["e","f","g","h","i","j"]}
        targets={kind="k",size="s"}"""
    built = graph(layers, rest, info, data=data)
    assert [node.name for node in built.nodes][:2] == ["input.left", "input.right"]
    assert built.node("both").shape == (10,)
    assert built.outputs == ("kind", "value")
    assert [(n.output, n.target, n.weight) for n in built.losses] == [
        ("kind", "kind", 1.0),
        ("value", "size", 0.5),
    ]


def test_losses_carry_their_fields() -> None:
    built = graph("dense units=3", '[loss]\ntype="cross_entropy"\nlabel_smoothing=0.1\n')
    assert built.losses[0].fields == {"label_smoothing": 0.1, "class_weights": None}


def test_shapes_that_do_not_meet_name_both_and_their_sources() -> None:
    layers = """
        dense units=5 name="a"
        dense units=6 name="b" from="input"
        add from=["a","b"] name="sum"
        dense units=3
    """
    assert problems(layers) == [
        'net.toml:14:1: layers.2: "sum": add expects equal shapes, given 5 and 6 '
        '(5 from "a", 6 from "b")'
    ]


@pytest.mark.parametrize(
    ("join", "said", "remedy"),
    [
        (
            "add",
            "add expects equal shapes, given 8x8x1 and 6x6x1 "
            '(8x8x1 from "input", 6x6x1 from "b.1.body")',
            'padding = "same", equal strides and filters',
        ),
        (
            "concat",
            "concat expects shapes that differ only along the joined axis, given 8x8x1 and 6x6x1 "
            '(8x8x1 from "input", 6x6x1 from "b.1.body")',
            'padding = "same", equal strides and pools',
        ),
    ],
)
def test_shapes_that_do_not_meet_in_a_block(join: str, said: str, remedy: str) -> None:
    """At the line in the block; once, not for each repetition behind it."""
    block = (
        f'{HEAD}[blocks.b]\n[[blocks.b.layers]]\nname = "body"\ntype = "conv2d"\nfilters = 1\n'
        f'kernel_size = 3\n[[blocks.b.layers]]\ntype = "{join}"\nfrom = ["input", "body"]\n'
    )
    layers = 'block block="b" repeat=2\nflatten\ndense units=10'
    found = problems(layers, info=IMAGES, data=block)
    assert found == [f'net.toml:10:1: blocks.b.layers.1: "b.1.{join}_1": {said}']
    assert remedy in hints(layers, info=IMAGES, data=block)[0]


def test_dense_behind_an_image() -> None:
    assert problems("dense units=10", info=IMAGES) == [
        'net.toml:5:1: layers.0: "dense_1": dense expects 1 or 2 axes, given 8x8x1 '
        '(8x8x1 from "input")'
    ]


def test_one_mistake_is_told_once_and_two_are_told_together() -> None:
    layers = 'dense units=5 name="a"\nreshape shape=[3]\ndense units=7\ndense units=9'
    found = problems(layers)
    assert len(found) == 1
    assert "reshape expects as many numbers" in found[0]
    both = problems('dense units=4 activation="sign"\nrelu\ndense units=4 activation="softmax"')
    assert [text.partition(": ")[2].split(": ")[0] for text in both] == [
        "layers.0.activation",
        "layers.2.activation",
        "loss",
    ]


@pytest.mark.parametrize(
    ("units", "loss", "info", "message"),
    [
        (4, "cross_entropy", ROWS, 'needs 3 outputs (3 classes), "head" has 4'),
        (1, "cross_entropy", NUMBERS, "needs classes, and the target is numbers"),
        (3, "binary_cross_entropy", ROWS, "needs 2 classes, and the target has 3"),
        (2, "mse", NUMBERS, 'needs 1 output (the target has 1), "head" has 2'),
        (2, "mae", ROWS, 'needs 3 outputs (one for each of 3 classes), "head" has 2'),
    ],
)
def test_heads_that_do_not_fit_the_loss(
    units: int, loss: str, info: DataInfo, message: str
) -> None:
    rest = f'[loss]\ntype="{loss}"\n'
    found = problems(f'dense units={units} name="head"', rest, info)
    assert found == [f'net.toml:10:1: loss: loss "{loss}" {message}']


@pytest.mark.parametrize(
    ("units", "loss", "info"),
    [
        (3, "cross_entropy", ROWS),
        (3, "mse", ROWS),
        (1, "huber", NUMBERS),
        (1, "binary_cross_entropy", DataInfo({"": (4,)}, {"": TargetInfo("class", 2)}, 9)),
        (1, "mse", DataInfo({"": (4,)}, {"": TargetInfo("class", 2)}, 9)),
        (5, "cross_entropy", DataInfo({"": (4,)}, {"": TargetInfo("rows", 5)}, 9)),
        (5, "binary_cross_entropy", DataInfo({"": (4,)}, {"": TargetInfo("number", 5)}, 9)),
    ],
)
def test_heads_that_fit(units: int, loss: str, info: DataInfo) -> None:
    assert problems(f"dense units={units}", f'[loss]\ntype="{loss}"\n', info) == []


def test_the_hint_names_the_line_of_the_units() -> None:
    layers = 'dense units=4 name="a"\nrelu\ndropout'
    assert hints(layers) == ['set units = 3 in "a" (line 7)']
    steps = DataInfo({"": (5, 2)}, {"": TargetInfo("class", 3, steps=5)}, 9)
    assert hints("output_rnn units=4 outputs=2", info=steps)[0].startswith("set outputs = 3 in")
    layers = 'output_rnn units=4 outputs=3 output_activation="softmax"'
    assert hints(layers, info=steps)[0].startswith('set signals = true in "output_rnn_1"')
    numbers = DataInfo({"": (5, 2)}, {"": TargetInfo("number", 3, steps=5)}, 9)
    found = hints(layers + " signals=true", '[loss]\ntype="mse"\n', numbers)
    assert found[0].startswith('remove it from "output_rnn_1": signals are for')


@pytest.mark.parametrize(
    ("loss", "op", "info", "units"),
    [
        ("cross_entropy", "softmax", ROWS, 3),
        (
            "binary_cross_entropy",
            "sigmoid",
            DataInfo({"": (4,)}, {"": TargetInfo("class", 2)}, 9),
            1,
        ),
    ],
)
def test_what_the_loss_applies_must_not_stand_before_it(
    loss: str, op: str, info: DataInfo, units: int
) -> None:
    rest = f'[loss]\ntype="{loss}"\n'
    message = f"{loss} applies {op} itself, so it must not stand before the loss"
    inside = problems(f'dense units={units} activation="{op}"', rest, info)
    assert inside == [f"net.toml:8:1: layers.0.activation: {message}"]
    alone = problems(f"dense units={units}\n{op}", rest, info)
    assert alone == [f"net.toml:8:1: layers.1: {message}"]


@pytest.mark.parametrize("op", ["sign", "step"])
def test_thresholds_stop_gradients_unless_straight_through_is_asked_for(op: str) -> None:
    found = problems(f'dense units=5 activation="{op}" name="a"\ndense units=3')
    assert found == [
        f'net.toml:8:1: layers.0.activation: {op} in "a" passes no gradient: its derivative is 0 '
        "wherever it has one, so nothing before it would learn"
    ]
    assert problems(f"dense units=5\n{op}\ndense units=3")
    asked = f'dense units=5 activation={{type="{op}",straight_through=true}}\ndense units=3'
    assert problems(asked) == []
    # Nothing before it learns, so nothing is lost.
    assert problems(f"{op}\ndense units=3") == []


def test_an_output_that_no_loss_reads_may_be_asked_for_but_not_trained() -> None:
    layers = 'dense units=5 name="a"\nsign name="bits"\ndense units=3 name="head" from="a"'
    rest = '[loss.head]\ntype="cross_entropy"\n'
    first = 'outputs = ["head", "bits"]'
    assert problems(layers, rest, first=first) == []
    layers = 'dense units=5 name="a"\ndense units=2 name="lost"\ndense units=3 name="head" from="a"'
    found = problems(layers, rest, first='outputs = ["head", "lost"]')
    assert found == ['net.toml:9:1: layers.1: no loss trains the parameters of "lost"']


def test_an_activation_is_part_of_its_layer() -> None:
    found = problems('dense units=3 activation={type="relu",name="x"}')
    assert found == ["net.toml:8:27: layers.0.activation.name: has no effect on an activation"]


def test_dense_on_a_sequence_works_on_every_step() -> None:
    steps = DataInfo({"": (5, 3)}, {"": TargetInfo("class", 3)}, 9)
    made = graph('dense units=4 name="each"\nflatten\ndense units=3', info=steps)
    assert made.node("each").shape == (5, 4)
    assert made.parameters["each.w"].shape == (3, 4)
    assert made.node("each").flops == 5 * (2 * 3 * 4 + 4)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ("flatten\ndense units=3", "needs 5 steps of outputs (the target has one for each step)"),
        ("conv1d filters=3 kernel_size=2", '"conv1d_1" has 4'),
        ("dense units=4", 'needs 3 outputs (3 classes), "dense_1" has 4'),
    ],
)
def test_outputs_that_do_not_fit_a_target_over_steps(layers: str, words: str) -> None:
    steps = DataInfo({"": (5, 2)}, {"": TargetInfo("class", 3, steps=5)}, 9)
    (found,) = problems(layers, info=steps)
    assert words in found
    assert not problems("dense units=3", info=steps)
