"""What holds for every model: found by its tag, documented, bounded, and right about shapes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

import pytest
from pydantic import BaseModel

from nnctl.spec import registry
from nnctl.spec.base import Expect, LayerModel, SpecModel
from nnctl.spec.places import Slot
from nnctl.spec.reference import _tables
from nnctl.spec.registry import FAMILIES, Tagged
from nnctl.spec.shapes import ShapeError

HERE = Path(registry.__file__).parent
TYPES = [(family, tag) for family in FAMILIES for tag in registry.tags(family)]
BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")


def models() -> Iterator[type[BaseModel]]:
    yield from (registry.model(*pair) for pair in TYPES)
    yield from (model for _, _, model in _tables())


@pytest.mark.parametrize(("family", "tag"), TYPES)
def test_the_tag_finds_the_model(family: str, tag: str) -> None:
    model = registry.model(family, tag)
    assert issubclass(model, SpecModel)
    field = model.model_fields[FAMILIES[family].key]
    assert tag in str(field.annotation)
    assert model.__doc__
    assert model.__doc__ != model.__mro__[1].__doc__


def test_no_tag_is_overlooked() -> None:
    """Every file of types, read in another way, has only tags that are found."""
    for family, about in FAMILIES.items():
        for folder in about.folders:
            for file in (HERE / folder).rglob("*.py"):
                for line in file.read_text().splitlines():
                    if "Literal[" in line and line.lstrip().startswith(("type:", "generate:")):
                        assert line.split('"')[1] in registry.tags(family), file


def test_the_tags_of_this_issue_are_there() -> None:
    assert set(registry.tags("layers")) >= {
        "add", "concat", "dense", "dropout", "elu", "flatten", "gelu", "leaky_relu", "linear",
        "multiply", "relu", "reshape", "sigmoid", "sign", "silu", "softmax", "softplus", "step",
        "tanh",
    }  # fmt: skip
    assert "block" not in registry.tags("layers")
    assert "dense" not in registry.tags("activations")


@pytest.mark.parametrize("model", list(dict.fromkeys(models())), ids=lambda m: m.__name__)
def test_every_field_says_what_it_is_and_has_a_bound(model: type[BaseModel]) -> None:
    for name, info in model.model_fields.items():
        if name in ("type", "generate"):
            continue
        assert info.description, name
        assert "\n" not in info.description, name
        slot = Slot.of(info)
        for branch in slot.branches():
            kind: Any = get_origin(branch.kind) or branch.kind
            if kind in (int, float):
                bounds = [getattr(note, key, None) for note in branch.notes for key in BOUNDS]
                assert sum(bound is not None for bound in bounds) >= 2, name
            elif kind is str:
                bounds = [getattr(note, key, None) for note in branch.notes for key in BOUNDS]
                assert any(b is not None for b in bounds) or branch.note(Expect), name


def layer(tag: str, **fields: Any) -> Any:
    return registry.model("layers", tag).model_validate({"type": tag, **fields})


@pytest.mark.parametrize(
    ("made", "inputs", "shape", "flops"),
    [
        (layer("dense", units=5), [(3,)], (5,), 35),
        (layer("dense", units=5, bias=False), [(3,)], (5,), 30),
        (layer("flatten"), [(2, 3, 4)], (24,), 0),
        (layer("flatten"), [(7,)], (7,), 0),
        (layer("reshape", shape=[4, -1]), [(2, 6)], (4, 3), 0),
        (layer("reshape", shape=[12]), [(2, 6)], (12,), 0),
        (layer("add"), [(2, 3), (2, 3), (2, 3)], (2, 3), 12),
        (layer("multiply"), [(4,), (4,)], (4,), 4),
        (layer("concat"), [(2, 3), (2, 5)], (2, 8), 0),
        (layer("concat", axis=0), [(2, 3), (1, 3)], (3, 3), 0),
    ],
)
def test_shapes(made: LayerModel, inputs: Any, shape: Any, flops: int) -> None:
    assert made.output_shape(inputs) == shape
    assert made.flops(inputs) == flops


@pytest.mark.parametrize("tag", registry.tags("activations"))
def test_activations_keep_the_shape(tag: str) -> None:
    assert layer(tag).output_shape([(2, 3)]) == (2, 3)
    assert layer(tag).parameters([(2, 3)]) == {}


@pytest.mark.parametrize(
    ("made", "inputs", "words"),
    [
        (layer("dense", units=5), [(2, 3, 1)], "dense expects 1 or 2 axes, given 2x3x1"),
        (layer("reshape", shape=[5]), [(2, 3)], "2x3 (6 numbers), but [5] holds 5"),
        (layer("reshape", shape=[4, -1]), [(2, 3)], "[4, -1] does not divide 6"),
        (layer("add"), [(2, 3), (3, 2)], "add expects equal shapes, given 2x3 and 3x2"),
        (layer("concat"), [(2, 3), (3, 3)], "given 2x3 and 3x3"),
        (layer("concat", axis=2), [(2, 3), (2, 3)], "given axis 2 of 2x3"),
        (layer("concat"), [(2, 3), (3,)], "given 2x3 and 3"),
    ],
)
def test_shapes_that_do_not_fit(made: LayerModel, inputs: Any, words: str) -> None:
    with pytest.raises(ShapeError) as caught:
        made.output_shape(inputs)
    assert words in caught.value.message
    assert caught.value.hint


def test_parameters_of_dense() -> None:
    arrays = layer("dense", units=5).parameters([(3,)])
    assert list(arrays) == ["w", "b"]
    assert arrays["w"].shape == (3, 5)
    assert (arrays["w"].kind, arrays["w"].fan_in, arrays["w"].fan_out) == ("weight", 3, 5)
    assert (arrays["b"].shape, arrays["b"].kind, arrays["b"].init) == ((5,), "bias", "zeros")
    assert list(layer("dense", units=5, bias=False).parameters([(3,)])) == ["w"]


def test_a_tagged_table_only_loads_its_own_file() -> None:
    code = (
        "import sys; from nnctl.spec import load_spec; load_spec('specs/iris_mlp.toml');"
        "names = {n for n in sys.modules if n.startswith('nnctl.spec.')};"
        "assert 'nnctl.spec.layers.dense' in names;"
        "assert not names & {'nnctl.spec.layers.merge', 'nnctl.spec.layers.dropout',"
        " 'nnctl.spec.losses.numbers', 'nnctl.spec.places', 'nnctl.spec.reference'}, names;"
        "assert not {'numpy', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_and_metrics_cost_no_pydantic() -> None:
    code = (
        "import sys, nnctl.spec.metrics, nnctl.spec.info, nnctl.spec.suggest, nnctl.spec.gates;"
        "assert not {'pydantic', 'numpy', 'tomli'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_slot_keeps_its_notes() -> None:
    from nnctl.spec.layers.dense import Dense

    slot = Slot.of(Dense.model_fields["activation"])
    assert any(branch.note(Tagged) for branch in slot.branches())
