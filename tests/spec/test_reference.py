"""``explain``: every type, table, key and metric, from their own docstrings."""

from __future__ import annotations

import pytest

from nnctl.errors import UsageError
from nnctl.spec.reference import find, text, topics

ALL = sorted({name for names in topics().values() for name in names})


@pytest.mark.parametrize("name", ALL)
def test_every_topic_has_a_text(name: str) -> None:
    for topic in find(name):
        lines = text(topic).splitlines()
        assert len(lines) >= 1
        assert topic.text or topic.title.startswith("metric")
        assert all(field.text and field.expects for field in topic.fields)
        assert not any("SpecModel" in line for line in lines)


def test_a_type() -> None:
    (topic,) = find("huber")
    assert text(topic) == (
        "loss huber\n\n"
        "e^2 / 2 where e = |y - t| <= delta, else delta * (e - delta / 2); the mean (Huber 1964).\n"
        "\n"
        "  weight  factor of this loss in the total\n"
        "          a number above 0; default 1.0\n"
        "  target  the target it compares with; default: the only one\n"
        "          a string that is not empty\n"
        "  delta   where the square turns into a line\n"
        "          a number above 0; default 1.0"
    )


def test_a_key_and_a_family() -> None:
    (topic,) = find("training.epochs")
    assert "an integer of at least 1; default 10" in text(topic)
    (topic,) = find("dense.units")
    assert "required" in text(topic)
    (topic,) = find("losses")
    assert [name for name, _ in topic.types] == [
        "binary_cross_entropy", "cross_entropy", "huber", "mae", "mse",
    ]  # fmt: skip
    assert len(find("constant")) == 2  # a schedule, and a start


def test_unknown_topics() -> None:
    with pytest.raises(UsageError) as caught:
        find("dens")
    (problem,) = caught.value.problems
    assert problem.message == 'nothing is called "dens"'
    assert problem.hint.startswith('did you mean "dense"?\ntables: spec, data')
    assert "optimizers: adam" in problem.hint
    with pytest.raises(UsageError, match='layer dense has no key "unts"\n  did you mean "units"'):
        find("dense.unts")
