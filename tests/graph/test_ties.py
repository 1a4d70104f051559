"""Tied weights: shared or transposed, counted and stored once."""

from __future__ import annotations

from nnctl.graph import ParamUse
from nnctl.spec.info import DataInfo, TargetInfo

from .networks import graph, hints, problems

ROWS_OUT = DataInfo({"": (6,)}, {"": TargetInfo("rows", 6)}, 50)
MSE = '[loss]\ntype="mse"\n'


def test_a_transposed_decoder_keeps_its_own_bias() -> None:
    layers = 'dense units=4 name="enc" activation="tanh"\n'
    layers += 'dense units=6 name="dec" share="enc" transposed=true'
    built = graph(layers, MSE, ROWS_OUT)
    assert built.node("dec").params == {"w": ParamUse("enc.w", True), "b": ParamUse("dec.b")}
    assert list(built.parameters) == ["enc.w", "enc.b", "dec.b"]
    assert built.parameter_count == 6 * 4 + 4 + 6
    assert built.parameters["enc.w"].node == "enc"


def test_a_shared_layer_shares_all() -> None:
    layers = 'dense units=6 name="a"\ntanh\ndense units=6 share="a" name="b"\n'
    built = graph(layers, MSE, ROWS_OUT)
    assert built.node("b").params == {"w": ParamUse("a.w"), "b": ParamUse("a.b")}
    assert built.parameter_count == 42


def test_the_owner_may_stand_later() -> None:
    layers = 'dense units=6 share="a" name="b"\ntanh\ndense units=6 name="a"\n'
    assert graph(layers, MSE, ROWS_OUT).node("b").params["w"] == ParamUse("a.w")


def test_shapes_that_do_not_meet() -> None:
    layers = 'dense units=4 name="enc"\ntanh\ndense units=6 name="dec" share="enc"'
    assert problems(layers, MSE, ROWS_OUT) == [
        'net.toml:15:1: layers.2.share: "dec.w" is 4x6, "enc.w" is 6x4'
    ]
    assert hints(layers, MSE, ROWS_OUT) == ["set transposed = true"]
    layers = 'dense units=5 name="enc"\ntanh\ndense units=4\ntanh\n'
    layers += 'dense units=6 name="dec" share="enc" transposed=true'
    assert problems(layers, MSE, ROWS_OUT) == [
        'net.toml:20:1: layers.4.share: "dec.w" is 4x6, "enc.w" is 6x5 (transposed: 5x6)'
    ]
    assert hints(layers, MSE, ROWS_OUT) == ['"dec" needs units = 6 and 5 inputs']


def test_a_bias_that_only_one_of_them_has() -> None:
    layers = 'dense units=6 name="a"\ntanh\ndense units=6 share="a" name="b" bias=false\n'
    assert problems(layers, MSE, ROWS_OUT) == [
        'net.toml:14:1: layers.2.share: "b" shares with "a" but has no use for "a.b"'
    ]
    layers = 'dense units=6 name="a" bias=false\ntanh\ndense units=6 share="a" name="b"\n'
    assert problems(layers, MSE, ROWS_OUT) == [
        'net.toml:15:1: layers.2.share: "b" needs b, which "a" does not have'
    ]
