"""The resolved form: every default written, and loading it gives an equal spec."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import tomli

from nnctl.spec import load_spec, load_spec_text
from nnctl.spec.writer import inline
from tests.spec.helpers import PLAIN, SPECS, load, shipped


@pytest.mark.parametrize("path", shipped(), ids=lambda p: p.stem)
def test_loading_the_resolved_form_gives_an_equal_spec(path: Path) -> None:
    spec = load_spec(path)
    text = spec.resolved_toml()
    again = load_spec_text(text, "resolved.toml", path.parent)
    assert again == spec
    assert again.resolved_toml() == text
    assert again.digest_dict() == spec.digest_dict()


@pytest.mark.parametrize("option", ["bias=false", 'bias_init="zeros"', "forget_bias=2.0"])
def test_defaults_that_are_written_contradict_nothing(option: str) -> None:
    spec = load_spec(SPECS / "adding_lstm.toml", [f"layers.0.{option}"])
    assert load_spec_text(spec.resolved_toml(), "resolved.toml", SPECS) == spec


def test_every_default_is_written() -> None:
    tables = tomli.loads(load().resolved_toml())
    assert tables["training"]["epochs"] == 10
    assert tables["optimizer"] == {
        "type": "adam", "learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
    }  # fmt: skip
    assert tables["data"]["split"]["test"] == 0.25
    assert [layer["name"] for layer in tables["layers"]] == ["flatten_1", "dense_1", "dense_2"]
    assert tables["name"] == "s"


def test_flags_are_in_it() -> None:
    assert (
        tomli.loads(load(PLAIN, "training.epochs=77").resolved_toml())["training"]["epochs"] == 77
    )


def test_several_losses_and_strange_strings() -> None:
    text = PLAIN.replace("[loss]", '[loss."dense_2"]').replace(
        "[data]",
        'description = "a\\tb\\"\\\\ \\u007f é\\n"\ngates = { accuracy = ">=0.5" }\n[data]',
    )
    spec = load(text)
    assert load(spec.resolved_toml()) == spec
    assert list(spec.losses) == ["dense_2"]
    assert spec.gates == ["accuracy>=0.5"]


def test_specs_that_differ_are_not_equal() -> None:
    assert load() != load(PLAIN, "training.seed=1")
    assert load() == load(PLAIN, "training.seed=0")
    assert load().digest_dict() != load(PLAIN, "layers.1.units=33").digest_dict()


def test_the_digest_is_plain_and_names_no_place() -> None:
    digest = load_spec(SPECS / "digits_residual_mlp.toml").digest_dict()
    assert json.loads(json.dumps(digest)) == digest
    assert str(SPECS) not in json.dumps(digest)


def test_inline_values_read_back() -> None:
    rng = random.Random(0)

    def value(depth: int) -> object:
        kinds = [
            lambda: rng.randint(-(10**9), 10**9),
            lambda: rng.choice([1e-8, 0.1, 1e300, -2.5, 3.0, 1e16]),
            lambda: rng.random() < 0.5,
            lambda: "".join(
                chr(rng.choice([9, 10, 34, 39, 92, 97, 127, 233, 0x1F600])) for _ in "abc"
            ),
        ]
        if depth:
            kinds.append(lambda: [value(depth - 1) for _ in range(rng.randrange(3))])
            kinds.append(lambda: {f"k{i} .": value(depth - 1) for i in range(rng.randrange(3))})
        return rng.choice(kinds)()

    for _ in range(300):
        given = value(3)
        assert tomli.loads(f"v = {inline(given)}")["v"] == given
