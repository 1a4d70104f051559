"""Pictures: complete, escaped, without boxes upon boxes, the same every time."""

from __future__ import annotations

import random
import xml.etree.ElementTree as xml
from itertools import pairwise

from nnctl.graph.draw import to_dot, to_svg
from nnctl.graph.layout import GAP_X, place

from .networks import graph

BRANCHES = """
    dense units=4 name="a" activation="relu"
    dense units=4 name="b"
    add from=["a","b"] name="s"
    concat from=["s","a","input"] name="c"
    dense units=3 name="head"
"""
SVG = "{http://www.w3.org/2000/svg}"


def test_svg_shows_every_layer_edge_and_loss() -> None:
    root = xml.fromstring(to_svg(graph(BRANCHES), "net"))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    names = ["input", "a", "b", "s", "c", "head", "cross_entropy"]
    assert [text for text in texts if text in names] == names
    assert "dense + relu, 4" in texts
    assert len(list(root.iter(f"{SVG}path"))) == 9


def test_text_is_escaped() -> None:
    drawn = to_svg(graph(BRANCHES), 'a<b>&"é')
    root = xml.fromstring(drawn)
    assert root.findtext(f"{SVG}title") == 'a<b>&"é'
    assert root.get("aria-label") == 'a<b>&"é'
    assert drawn.isascii()
    assert to_dot(graph("dense units=3"), 'a"b\\').startswith('digraph "a\\"b\\\\" {')


def test_dot_has_every_edge() -> None:
    lines = to_dot(graph(BRANCHES), "net").splitlines()
    edges = {line.strip(" ;") for line in lines if "->" in line}
    pairs = ["input->a", "a->b", "a->s", "b->s", "s->c", "a->c", "input->c", "c->head"]
    expected = {'"{}" -> "{}"'.format(*pair.split("->")) for pair in pairs}
    assert edges == {*expected, '"head" -> "loss of head"'}


def test_splits_are_not_drawn() -> None:
    from nnctl.graph import insert_splits

    assert to_dot(insert_splits(graph(BRANCHES))) == to_dot(graph(BRANCHES))


def test_drawing_is_deterministic() -> None:
    assert to_svg(graph(BRANCHES)) == to_svg(graph(BRANCHES))


def test_boxes_of_a_rank_keep_their_distance() -> None:
    generator = random.Random(3)
    for _ in range(30):
        count = generator.randint(2, 25)
        widths = {f"n{i}": generator.uniform(40, 200) for i in range(count)}
        edges = [
            (f"n{generator.randrange(i)}", f"n{i}")
            for i in range(1, count)
            for _ in range(generator.randint(1, 3))
        ]
        placed = place(widths, edges)
        for start, end in edges:
            assert placed.rank[start] < placed.rank[end]
        for number in range(placed.ranks):
            row = sorted((placed.x[n], n) for n in widths if placed.rank[n] == number)
            for (x, left), (y, right) in pairwise(row):
                assert y - x >= (widths[left] + widths[right]) / 2 + GAP_X - 1e-6
        assert min(placed.x[n] - widths[n] / 2 for n in widths) >= -1e-6
        assert max(placed.x[n] + widths[n] / 2 for n in widths) <= placed.width + 1e-6
