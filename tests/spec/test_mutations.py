"""One-edit misspellings of every key in every shipped spec: right line, right suggestion."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnctl.errors import SpecError
from nnctl.spec import load_spec
from nnctl.spec.places import fields
from nnctl.spec.suggest import distance, nearest
from nnctl.spec.training import Training
from nnctl.spec.written import SpecFile
from tests.spec.helpers import shipped
from tests.spec.mutations import Key, edits, every_edit, keys

SHORTEST = 4
OFTEN = 3  # of a key that a spec repeats, so many are misspelt


def chosen(text: str, rng: random.Random) -> Iterator[Key]:
    """Every key of a text, and of the same one a few, wherever they stand."""
    places: dict[str, list[Key]] = {}
    for key in keys(text):
        if len(key.word) >= SHORTEST:
            places.setdefault(key.word, []).append(key)
    for same in places.values():
        yield from same if len(same) <= OFTEN else rng.sample(same, OFTEN)


@pytest.mark.parametrize("path", shipped(), ids=lambda p: p.stem)
def test_every_key_misspelt(path: Path) -> None:
    text, rng = path.read_text(), random.Random(path.stem)
    count, suggested, lost = 0, 0, []
    for key in chosen(text, rng):
        for word in edits(key.word, rng):
            broken = text[: key.start] + word + text[key.end :]
            with pytest.raises(SpecError) as caught:
                load_spec(path, text=broken)
            count += 1
            here = [p for p in caught.value.problems if p.line == key.line]
            if not here:
                lost.append((key.line, key.word, word))
            suggested += any(f'did you mean "{key.word}"' in p.hint for p in here)
    assert not lost
    assert suggested >= 0.95 * count


@pytest.mark.parametrize("model", [Training, SpecFile])
def test_all_edits_of_all_keys_of_a_table(model: type) -> None:
    legal = list(fields(model))
    wrong: Counter[str] = Counter()
    total = 0
    for key in legal:
        if len(key) < SHORTEST:
            continue
        words = sorted(set(every_edit(key)) - set(legal))
        for word in random.Random(key).sample(words, 60):
            total += 1
            wrong[key] += nearest(word, legal) != key
    assert sum(wrong.values()) <= 0.02 * total, wrong


@pytest.mark.parametrize(
    ("a", "b", "edits_"),
    [("units", "unts", 1), ("units", "untis", 1), ("type", "tpye", 1), ("a", "b", 1),
     ("", "abc", 3), ("kitten", "sitting", 3), ("same", "same", 0), ("ab", "ba", 1)],
)  # fmt: skip
def test_distance(a: str, b: str, edits_: int) -> None:
    assert distance(a, b) == distance(b, a) == edits_


@pytest.mark.parametrize(
    ("given", "choices", "meant"),
    [
        ("lr", ["learning_rate", "momentum", "l1"], "learning_rate"),
        ("acc", ["accuracy", "loss"], "accuracy"),
        ("num_epochs", ["epochs", "seed"], "epochs"),
        ("batch-size", ["batch_size", "seed"], "batch_size"),
        ("Units", ["units", "bias"], "units"),
        ("xyz", ["units", "bias"], None),
        ("", ["units"], None),
        ("a", [], None),
    ],
)
def test_nearest(given: str, choices: list[str], meant: str | None) -> None:
    assert nearest(given, choices) == meant
