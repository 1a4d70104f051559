"""The JSON Schema and the models agree: on shipped specs, and on broken ones."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli

from nnctl.errors import SpecError
from nnctl.spec import load_spec
from nnctl.spec.schema import json_schema
from nnctl.spec.writer import inline
from tests.spec.helpers import SPECS, shipped
from tests.spec.jsonschema import valid

SCHEMA = json_schema()
WRONG = [-1, 0.5, "no such word", True, [], {}, [1], {"type": "no such type"}, 10**30, ""]


@pytest.mark.parametrize("path", shipped(), ids=lambda p: p.stem)
def test_shipped_specs_are_legal(path: Path) -> None:
    assert valid(tomli.loads(path.read_text()), SCHEMA, SCHEMA)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        yield (*at, key)
        if isinstance(entry, dict | list):
            yield from places(entry, (*at, key))


def put(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(data)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def refused(path: Path, data: Any) -> bool:
    """Whether the models refuse these tables."""
    text = "\n".join(f"{json.dumps(key)} = {inline(value)}" for key, value in data.items())
    try:
        load_spec(path, text=text)
    except SpecError:
        return True
    return False


@pytest.mark.parametrize("path", shipped(), ids=lambda p: p.stem)
def test_values_that_the_schema_refuses_are_refused(path: Path) -> None:
    data, rng = tomli.loads(path.read_text()), random.Random(path.stem)
    found = 0
    for place in rng.sample(sorted(places(data), key=str), 12):
        for value in rng.sample(WRONG, 4):
            broken = put(data, place, value)
            if not valid(broken, SCHEMA, SCHEMA):
                found += 1
                assert refused(path, broken), (place, value)
    assert found > 10


@pytest.mark.parametrize("name", ["digits_mlp", "digits_regularized_mlp", "spirals_mlp"])
def test_keys_that_the_models_refuse_are_refused(name: str) -> None:
    data = tomli.loads((SPECS / f"{name}.toml").read_text())
    for place in places(data):
        if isinstance(place[-1], str):
            assert not valid(put(data, (*place[:-1], place[-1] + "x"), 1), SCHEMA, SCHEMA), place


def test_a_base_may_hold_what_is_required() -> None:
    assert valid({"extends": "base.toml"}, SCHEMA, SCHEMA)
    assert not valid({}, SCHEMA, SCHEMA)


def test_parameters_stand_in_blocks_alone() -> None:
    data = tomli.loads((SPECS / "digits_residual_mlp.toml").read_text())
    assert valid(data, SCHEMA, SCHEMA)
    assert not valid(put(data, ("layers", 1, "units"), "$units"), SCHEMA, SCHEMA)


def test_it_is_json_and_has_no_marks_left() -> None:
    text = json.dumps(SCHEMA)
    assert "$family" not in text
    assert '"null"' not in text
    for name in {part.split('"')[0] for part in text.split("#/$defs/")[1:]}:
        assert name in SCHEMA["$defs"]


def test_the_validator_can_refuse() -> None:
    data = tomli.loads((SPECS / "digits_mlp.toml").read_text())
    for place, value in [
        (("layers", 1, "units"), 0), (("layers", 1, "units"), 1.5), (("optimizer", "beta1"), 1),
        (("layers", 1, "activation"), "rleu"), (("loss", "type"), "mean"), (("layers",), []),
    ]:  # fmt: skip
        assert not valid(put(data, place, value), SCHEMA, SCHEMA), place
