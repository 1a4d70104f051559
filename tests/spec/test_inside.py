"""Layers inside layers: what has no place there is refused by line, before anything is built."""

from __future__ import annotations

import pytest

from tests.spec.helpers import said

SPEC = """\
[data]
source = "t.npz"
target = "y"
[[layers]]
type = "{outer}"
{inner}
[loss]
type = "mse"
"""
GRU, DENSE = '{ type = "gru", units = 4 }', '{ type = "dense", units = 1 }'
SEVERAL = ("add", "average", "concat", "multiply", "attention", "attend", "repeat_vector")
TAUGHT = '{ type = "output_rnn", units = 3, outputs = 2 }'
PAIR = f'{{ type = "encoder_decoder", encoder = [{GRU}], decoder = [{GRU}, {DENSE}] }}'


def stacks(encoder: str, decoder: str) -> str:
    inner = f"encoder = [{encoder}]\ndecoder = [{decoder}]"
    return said(SPEC.format(outer="encoder_decoder", inner=inner))


@pytest.mark.parametrize("tag", SEVERAL)
def test_a_layer_that_reads_several(tag: str) -> None:
    count = 3 if tag == "attend" else 2
    message = f"{tag} reads {count} layers, and here each layer reads the one before"
    one = f'{{ type = "{tag}" }}'
    found = stacks(f"{GRU}, {one}, {GRU}", f"{GRU}, {DENSE}")
    assert found.startswith(f"s.toml:6:43: layers.0.encoder.1.type: {message}\n")
    found = stacks(GRU, f"{GRU}, {one}, {DENSE}")
    assert found.startswith(f"s.toml:7:43: layers.0.decoder.1.type: {message}\n")


@pytest.mark.parametrize("inner", [TAUGHT, PAIR])
def test_a_layer_that_is_fed_its_target(inner: str) -> None:
    tag = "output_rnn" if inner is TAUGHT else "encoder_decoder"
    message = f"{tag} is fed its target, and here it is no output that has one"
    assert f"layers.0.encoder.0.type: {message}" in stacks(inner, f"{GRU}, {DENSE}")
    assert f"layers.0.decoder.1.type: {message}" in stacks(GRU, f"{GRU}, {inner}, {DENSE}")
    if inner is TAUGHT:
        both = said(SPEC.format(outer="bidirectional", inner=f"layer = {inner}"))
        assert f"layers.0.layer.type: {message}\n  set teacher_forcing = false, or use" in both


@pytest.mark.parametrize("tag", ["bidirectional", "encoder_decoder"])
def test_what_is_made_of_others_shares_no_parameters(tag: str) -> None:
    inner = f"layer = {GRU}"
    if tag == "encoder_decoder":
        inner = f"encoder = [{GRU}]\ndecoder = [{GRU}, {DENSE}]"
    found = said(SPEC.format(outer=tag, inner=f'{inner}\nshare = "other"'))
    assert found.endswith(f"layers.0.share: {tag} shares no parameters\n  remove it")
