"""Blocks: names, wiring, parameters, and mistakes in them."""

from __future__ import annotations

import pytest

from tests.spec.helpers import first_lines, load, said

HEAD = '[data]\nsource = "digits"\n[loss]\ntype = "cross_entropy"\n'  # lines 1 to 4
RESIDUAL = """\
[blocks.res]
parameters = { units = 8, rate = 0.5 }
[[blocks.res.layers]]
type = "dense"
units = "$units"
[[blocks.res.layers]]
type = "dropout"
rate = "$rate"
[[blocks.res.layers]]
name = "body"
type = "dense"
units = "$units"
[[blocks.res.layers]]
type = "add"
from = ["input", "body"]
"""  # lines 5 to 19
STEM = '[[layers]]\ntype = "flatten"\n'  # lines 20 and 21
TAIL = '[[layers]]\ntype = "dense"\nunits = 10\n'


def use(**keys: str) -> str:
    """A layer that uses the block."""
    lines = "".join(f"{key.rstrip('_')} = {value}\n" for key, value in keys.items())
    return f'[[layers]]\ntype = "block"\nblock = "res"\n{lines}'


def wiring(*entries: str) -> list[tuple[str, list[str] | None]]:
    spec = load(HEAD + RESIDUAL + STEM + "".join(entries) + TAIL)
    return [(layer.name or "", layer.from_) for layer in spec.layers]


def test_names_and_wiring() -> None:
    assert wiring(use(repeat="2")) == [
        ("flatten_1", None),
        ("res.1.dense_1", ["flatten_1"]),
        ("res.1.dropout_1", None),
        ("res.1.body", None),
        ("res.1.add_1", ["flatten_1", "res.1.body"]),
        ("res.2.dense_1", ["res.1.add_1"]),
        ("res.2.dropout_1", None),
        ("res.2.body", None),
        ("res.2.add_1", ["res.1.add_1", "res.2.body"]),
        ("dense_1", None),
    ]


def test_numbers_start_where_they_are_told_to_and_go_on_from_there() -> None:
    entries = (use(name='"b"', first="0"), use(name='"b"', repeat="2"), use(first="7"))
    names = [name for name, _ in wiring(*entries)]
    assert [name for name in names if name.endswith("body")] == [
        "b.0.body", "b.1.body", "b.2.body", "res.7.body",
    ]  # fmt: skip


def test_numbers_that_meet() -> None:
    text = HEAD + RESIDUAL + STEM + use(repeat="2") + use(first="2") + TAIL
    assert 'the name "res.2.dense_1" is taken by an earlier layer' in said(text)


def test_numbers_go_on_over_entries_and_names_start_anew() -> None:
    names = [name for name, _ in wiring(use(), use(name='"b"', repeat="2"), use(repeat="2"))]
    assert [name for name in names if name.endswith("body")] == [
        "res.1.body", "b.1.body", "b.2.body", "res.2.body", "res.3.body",
    ]  # fmt: skip


def test_parameters_are_typed_and_have_defaults() -> None:
    spec = load(HEAD + RESIDUAL + STEM + use(with_="{ units = 64, rate = 0 }") + TAIL)
    assert spec.layers[1].model_dump()["units"] == 64
    assert spec.layers[2].model_dump()["rate"] == 0
    spec = load(HEAD + RESIDUAL + STEM + use() + TAIL, "blocks.res.parameters.units=5")
    assert spec.layers[1].model_dump()["units"] == 5


def test_a_named_use_can_be_read() -> None:
    end = '[[layers]]\ntype = "add"\nfrom = ["stage", "stage.1", "res.1"]\n' + TAIL
    spec = load(HEAD + RESIDUAL + STEM + use() + use(name='"stage"', repeat="2") + end)
    assert spec.layers[-2].from_ == ["stage.2.add_1", "stage.1.add_1", "res.1.add_1"]


def test_a_use_may_read_any_layer() -> None:
    names = wiring(use(name='"a"'), use(name='"b"', from_='"flatten_1"'), ADD)
    assert dict(names)["b.1.dense_1"] == ["flatten_1"]
    assert dict(names)["b.1.add_1"] == ["flatten_1", "b.1.body"]


ADD = '[[layers]]\ntype = "add"\nfrom = ["a", "b"]\n'


def test_a_block_first_reads_the_data() -> None:
    spec = load(HEAD + RESIDUAL + use() + TAIL)
    assert spec.layers[0].from_ == ["input"]


def test_several_inputs_are_spliced_in() -> None:
    block = '[blocks.join]\n[[blocks.join.layers]]\ntype = "concat"\nfrom = "input"\n'
    entry = '[[layers]]\ntype = "block"\nblock = "join"\nfrom = ["dense_1", "dense_2"]\n'
    both = TAIL + TAIL.rstrip() + '\nfrom = "flatten_1"\n'
    spec = load(HEAD + block + STEM + both + entry + TAIL)
    assert spec.layers[3].from_ == ["dense_1", "dense_2"]


def test_a_block_of_blocks() -> None:
    stage = (
        "[blocks.stage]\nparameters = { width = 8, depth = 2 }\n"
        '[[blocks.stage.layers]]\ntype = "dense"\nunits = "$width"\n'
        '[[blocks.stage.layers]]\ntype = "block"\nblock = "res"\nrepeat = "$depth"\n'
        'with = { units = "$width" }\n'
    )
    entry = '[[layers]]\ntype = "block"\nblock = "stage"\nwith = { width = 16, depth = 3 }\n'
    spec = load(HEAD + RESIDUAL + stage + STEM + entry + TAIL)
    names = [layer.name for layer in spec.layers]
    assert names[1:3] == ["stage.1.dense_1", "stage.1.res.1.dense_1"]
    assert names[-2] == "stage.1.res.3.add_1"
    assert spec.layers[-2].from_ == ["stage.1.res.2.add_1", "stage.1.res.3.body"]
    assert {layer.model_dump()["units"] for layer in spec.layers[1:4] if layer.type == "dense"} == {
        16
    }


def test_sharing_inside_and_outside() -> None:
    block = (
        '[blocks.cell]\n[[blocks.cell.layers]]\nname = "w"\ntype = "dense"\nunits = 8\n'
        '[[blocks.cell.layers]]\ntype = "dense"\nunits = 8\nshare = "w"\n'
        '[[blocks.cell.layers]]\ntype = "dense"\nunits = 8\nshare = "outer"\n'
    )
    outer = '[[layers]]\nname = "outer"\ntype = "dense"\nunits = 8\n'
    entry = '[[layers]]\ntype = "block"\nblock = "cell"\nrepeat = 2\n'
    spec = load(HEAD + block + STEM + outer + entry + TAIL)
    assert [layer.share for layer in spec.layers[2:8]] == [
        None, "cell.1.w", "outer", None, "cell.2.w", "outer",
    ]  # fmt: skip


def test_the_resolved_form_has_no_blocks() -> None:
    spec = load(HEAD + RESIDUAL + STEM + use(repeat="3") + TAIL)
    text = spec.resolved_toml()
    assert "block" not in text
    assert load(text) == spec


NET = HEAD + RESIDUAL + STEM + use() + TAIL
GOLDEN = [
    ("a key", ('units = "$units"', 'unts = "$units"'),
     ['s.toml:9:1: blocks.res.layers.0.unts: unknown key "unts" of layer "dense"']),
    ("a bound", ("rate = 0.5", "rate = 1.5"),
     ["s.toml:12:8: blocks.res.layers.1.rate: expected a number of at least 0 and below 1, "
      "given 1.5"]),
    ("a reference", ('"input", "body"', '"input", "bdy"'),
     ['s.toml:19:18: blocks.res.layers.3.from.1: no layer is named "bdy"']),
    ("a parameter asked for", ('rate = "$rate"', 'rate = "$rte"'),
     ['s.toml:6:27: blocks.res.parameters.rate: no layer of the block uses "$rate"',
      's.toml:12:1: blocks.res.layers.1.rate: the block has no parameter "rte"']),
    ("a parameter given", ('block = "res"\n', 'block = "res"\nwith = { unit = 3 }\n'),
     ['s.toml:25:10: layers.1.with.unit: block "res" has no parameter "unit"']),
    ("a parameter's type", ('block = "res"\n', 'block = "res"\nwith = { units = "a" }\n'),
     ['s.toml:25:10: layers.1.with.units: expected a value like the default 8, given "a"']),
    ("an unknown block", ('block = "res"\n', 'block = "ress"\n'),
     ['s.toml:5:1: blocks.res: no layer uses the block "res"',
      's.toml:24:1: layers.1.block: unknown block "ress"']),
    ("no repetition", ('block = "res"\n', 'block = "res"\nrepeat = 0\n'),
     ["s.toml:25:10: layers.1.repeat: expected an integer from 1 to 10000, given 0"]),
    ("a key of the use", ('block = "res"\n', 'block = "res"\nrepat = 2\n'),
     ['s.toml:25:1: layers.1.repat: unknown key "repat"']),
    ("itself", ('[[blocks.res.layers]]\ntype = "dropout"\n',
                '[[blocks.res.layers]]\ntype = "block"\nblock = "res"\n[[blocks.res.layers]]\n'
                'type = "dropout"\n'),
     ["s.toml:12:1: blocks.res.layers.1.block: the block contains itself: res -> res"]),
]  # fmt: skip


@pytest.mark.parametrize(("_", "edit", "lines"), GOLDEN, ids=[case[0] for case in GOLDEN])
def test_mistakes_point_at_their_line(_: str, edit: tuple[str, str], lines: list[str]) -> None:
    assert edit[0] in NET
    assert first_lines(NET.replace(*edit, 1)) == lines


def test_a_mistake_in_a_repeated_block_is_told_once() -> None:
    text = HEAD + RESIDUAL.replace("rate = 0.5", "rate = 1") + STEM + use(repeat="5") + TAIL
    assert len(first_lines(text)) == 1


def test_a_value_from_a_use_is_refused_at_the_block() -> None:
    text = HEAD + RESIDUAL + STEM + use(with_="{ units = 0 }") + TAIL
    assert first_lines(text)[0].startswith("s.toml:9:9: blocks.res.layers.0.units: expected an int")


def test_far_too_many() -> None:
    deep = '[blocks.b]\n[[blocks.b.layers]]\ntype = "block"\nblock = "res"\nrepeat = 10000\n'
    entry = '[[layers]]\ntype = "block"\nblock = "b"\nrepeat = 10000\n'
    assert "the blocks make more than 20000 layers" in said(
        HEAD + RESIDUAL + deep + STEM + entry + TAIL
    )
