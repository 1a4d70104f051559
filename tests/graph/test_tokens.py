"""Layers that read tokens: how many there are, where they come from, what may not be."""

from __future__ import annotations

import pytest

from nnctl.graph.lint import lint
from nnctl.spec.info import DataInfo, TargetInfo
from tests.graph.networks import LOSS, graph, hints, problems, spec

CLASS = {"": TargetInfo("class", 3)}
TOKENS = DataInfo({"": (5,)}, CLASS, 9, vocabularies={"": 7})
ROWS = DataInfo({"": (5,)}, CLASS, 9)
BEHIND = "\nflatten\ndense units=3"


def test_the_vocabulary_is_that_of_the_data() -> None:
    made = graph("embedding units=4" + BEHIND, info=TOKENS)
    assert made.parameters["embedding_1.w"].shape == (7, 4)
    assert made.node("embedding_1").shape == (5, 4)
    assert made.tokens() == {"": 7}
    larger = graph("embedding units=4 vocabulary=11" + BEHIND, info=TOKENS)
    assert larger.parameters["embedding_1.w"].shape == (11, 4)
    given = graph("embedding units=4 vocabulary=11" + BEHIND, info=ROWS)
    assert given.tokens() == {"": 11}


def test_two_tables_of_one_input_know_the_fewer_tokens() -> None:
    layers = (
        'embedding units=2 name="a"\nembedding units=2 name="b" from="input" vocabulary=9\n'
        'add from=["a","b"]' + BEHIND
    )
    assert graph(layers, info=TOKENS).tokens() == {"": 7}


@pytest.mark.parametrize(
    ("layers", "info", "words"),
    [
        ("embedding units=4", ROWS, "the data do not say how many tokens there are"),
        ("embedding units=4 vocabulary=6", TOKENS, "6 tokens, but the data hold tokens up to 6"),
        ("tanh\nembedding units=4 vocabulary=7", TOKENS, '"tanh_1" is a layer'),
        ("reshape shape=[5,1]\nembedding units=4 vocabulary=7", TOKENS, "expects 1 axis"),
    ],
)
def test_what_cannot_be(layers: str, info: DataInfo, words: str) -> None:
    assert any(words in problem for problem in problems(layers + BEHIND, info=info))
    assert all(hints(layers + BEHIND, info=info))


def test_a_table_is_shared() -> None:
    layers = 'embedding units=2 name="a"\nembedding units=2 from="input" share="a"\n'
    layers += 'add from=["a","embedding_2"]' + BEHIND
    assert set(graph(layers, info=TOKENS).parameters) == {"a.w", "dense_1.w", "dense_1.b"}


def advice(layers: str, info: DataInfo, rest: str = LOSS) -> list[str]:
    made = spec(layers, rest)
    return [problem.message for problem in lint(made, info, graph(layers, rest, info))]


def test_tokens_are_no_amounts() -> None:
    steps = DataInfo({"": (5,)}, {"": TargetInfo("class", 3, steps=5)}, 9, vocabularies={"": 7})
    wrong = '"reshape_1" reads tokens (0 to 6) as if they were amounts'
    assert any(wrong in said for said in advice("reshape shape=[5,1]\ndense units=3", steps))
    assert not advice("embedding units=4\ndense units=3", steps)[1:]
    both = 'embedding units=1 name="a"\nflatten name="f"\ndense units=5 name="d" from="input"\n'
    both += 'add from=["f","d"]\ntanh\ndense units=3'
    assert any('"d" reads tokens' in said for said in advice(both, TOKENS))
    assert not any("tokens" in said for said in advice("dense units=3", TOKENS))  # may be amounts
