"""Which sequence is said: against all sequences there are, of a table of scores."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from nnctl.run.search import Rules, search

CLASSES, STEPS, STOP, START = 4, 3, 1, 0


class Table:
    """Scores that depend on all that was said, drawn from it; so that no two states are alike."""

    def __init__(self, count: int, beams: int = 1) -> None:
        self.sample = np.repeat(np.arange(count), beams)
        self.said: list[tuple[int, ...]] = [()] * len(self.sample)

    def scores(self, sample: int, said: tuple[int, ...]) -> np.ndarray:
        return np.random.default_rng([sample, 7, *said]).normal(0, 1.5, CLASSES)

    def step(self, tokens):  # type: ignore[no-untyped-def]
        if tokens is not None:
            self.said = [(*s, int(t)) for s, t in zip(self.said, tokens, strict=True)]
        return np.stack([self.scores(n, s) for n, s in zip(self.sample, self.said, strict=True)])

    def reorder(self, parents):  # type: ignore[no-untyped-def]
        assert np.array_equal(self.sample[parents], self.sample)
        self.said = [self.said[p] for p in parents]


def log_of(table: Table, sample: int, sequence: tuple[int, ...]) -> float:
    total = 0.0
    for k, token in enumerate(sequence):
        scores = table.scores(sample, sequence[:k])
        scores[START] = -np.inf
        total += scores[token] - np.log(np.exp(scores).sum())
    return total


def every() -> list[tuple[int, ...]]:
    """All sequences that end with the stop, or at the last step."""
    found = []
    for size in range(1, STEPS + 1):
        for rest in product(range(2, CLASSES), repeat=size - 1):
            found.append((*rest, STOP))
    return found + list(product(range(2, CLASSES), repeat=STEPS))


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_as_many_beams_as_sequences_find_the_best(penalty: float) -> None:
    count, beams = 5, 40
    table = Table(count, beams)
    found = search(table, count, Rules(STEPS, STOP, (START,), beams, penalty))
    for sample in range(count):
        best = max(every(), key=lambda s, n=sample: log_of(table, n, s) / len(s) ** penalty)
        assert tuple(found.tokens[sample][found.tokens[sample] >= 0]) == best
        assert found.logs[sample] == pytest.approx(log_of(table, sample, best))


def test_one_beam_is_greedy() -> None:
    table = Table(6)
    found = search(table, 6, Rules(STEPS, STOP, (START,)))
    for sample in range(6):
        said: tuple[int, ...] = ()
        while len(said) < STEPS and STOP not in said:
            scores = table.scores(sample, said)
            said += (int(np.argmax(scores[1:])) + 1,)
        assert tuple(found.tokens[sample][found.tokens[sample] >= 0]) == said
        assert found.logs[sample] == pytest.approx(log_of(table, sample, said))


def test_more_beams_are_never_worse_here() -> None:
    logs = [
        search(Table(40, beams), 40, Rules(STEPS, STOP, (START,), beams)).logs
        for beams in (1, 3, 40)
    ]
    assert (logs[2] >= logs[0] - 1e-12).all() and (logs[2] >= logs[1] - 1e-12).all()
    assert (logs[2] > logs[0] + 1e-9).any(), "greedy finds the best of all samples"


def test_without_a_stop_all_steps_are_said() -> None:
    found = search(Table(3), 3, Rules(STEPS))
    assert (found.tokens >= 0).all()
