"""Whatever stands in a spec, it is a Spec or a located SpecError, never a crash."""

from __future__ import annotations

import random

import pytest

from nnctl.errors import SpecError
from nnctl.spec import load_spec
from tests.spec.helpers import load, shipped

VALUES = [
    "1", "-1", "0", "1.5", "inf", "nan", "true", '"x"', '""', "[]", "{}", "[1, 2]", '["a"]',
    "[[1]]", "[{}]", "{ a = 1 }", '{ type = "dense" }', '{ type = "relu" }', '{ type = 3 }',
    '"relu"', "1979-05-27", "12:00:00", "1e400", "9" * 23, '"dense"', '"input"', '"$units"',
    '["input", "dense_1"]', '{ type = "block" }', '"block"', '{ generate = "xor" }',
    '{ generate = 1 }', r'"\u0000"', '"constant"', '{ type = "constant" }',
]  # fmt: skip
KEYS = ["layers", "loss", "data", "blocks", "training", "optimizer", "gates", "metrics", "type",
        "from", "share", "outputs", "extends", "name", "init", "with", "parameters"]  # fmt: skip
HEADERS = ["[loss]", "[[layers]]", "[layers]", "[[loss]]", "[blocks.x]", "[blocks]", "[[blocks]]",
           "[loss.dense_1]", "[training.early_stopping]", "[gates]", "[data.inputs]"]  # fmt: skip


def broken(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        key, equals, _ = lines[at].partition("=")
        change = rng.random()
        if equals and not key.startswith("#") and change < 0.6:
            lines[at] = f"{key}= {rng.choice(VALUES)}"
        elif change < 0.7:
            lines[at] = ""
        elif change < 0.85:
            lines.insert(at, f"{rng.choice(KEYS)} = {rng.choice(VALUES)}")
        elif change < 0.95:
            lines.insert(at, rng.choice(HEADERS))
        else:
            lines[at] += rng.choice('"[=\\')
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(6))
def test_no_crash(seed: int) -> None:
    rng, refused = random.Random(seed), 0
    paths = shipped()
    for _ in range(60):
        path = rng.choice(paths)
        try:
            spec = load_spec(path, text=broken(path.read_text(), rng))
        except SpecError as error:
            refused += 1
            assert all(p.file and p.line and p.column for p in error.problems)
            assert "something else" not in str(error)
            continue
        assert load(spec.resolved_toml()) == spec
    assert refused > 30
