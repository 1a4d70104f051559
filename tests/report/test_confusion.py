"""The confusion matrix: counts and margins of a few classes, a map of many, nothing of too many."""

import re
import xml.etree.ElementTree as ET

from nnctl.report.confusion import confusion_svg
from nnctl.report.page import page
from tests.report.fakes import evaluation, run
from tests.report.test_page import text_of


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]


def test_counts_and_margins():
    svg = confusion_svg(["cat", "dog", "eel"], [[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    found = texts(svg)
    assert [text for text in found if text in list("6213")] == ["6", "2", "1", "3"]
    recall, precision = found.index("recall"), found.index("precision")
    assert precision == recall + 1
    # by class: recall and precision
    assert found[precision + 1 :] == ["0.75", "0.86", "0.75", "0.6", "–", "–"]
    assert "dog taken for cat: 1 of 4" in svg
    assert svg.count('class="right"') == 2 and svg.count('class="wrong"') == 2


def test_a_rare_mistake_is_lighter_than_a_frequent_one():
    svg = confusion_svg(["a", "b"], [[90, 10], [40, 60]])
    shades = [float(x) for x in re.findall(r'fill-opacity="([\d.]+)"', svg)]
    assert shades[1] < shades[2] < shades[3] < shades[0]


def test_names_are_cut_and_are_no_markup():
    svg = confusion_svg(["<b>" + "x" * 40, "dog"], [[1, 0], [0, 1]])
    assert ET.fromstring(svg) is not None
    assert "x…" in svg and "<b>" not in svg


def test_many_classes_make_a_map_of_some_size():
    count = 100
    names = [f"class {k}" for k in range(count)]
    counts = [[0] * count for _ in names]
    for k in range(count):
        counts[k][k], counts[k][(k + 1) % count] = 5, 1
    svg = confusion_svg(names, counts)
    cells = re.findall(r"M\d+ \d+h1v1h-1z", svg)
    assert len(cells) == 2 * count and "M1 0h1v1h-1z" in cells
    full = confusion_svg(names, [[1] * count] * count)
    assert len(full) < 200_000


def test_too_many_classes_are_told_in_words_alone():
    assert confusion_svg([str(k) for k in range(300)], [[0] * 300] * 300) is None
    assert confusion_svg([], []) is None


def test_a_page_lists_the_worst_of_many_classes():
    count = 300
    rows = [
        {"class": f"c{k}", "precision": 1.0, "recall": 1.0, "f1": k / count, "support": 1}
        for k in range(count)
    ]
    counts = [[int(i == j) for j in range(count)] for i in range(count)]
    counts[7][8] = 2
    document = {
        **evaluation(),
        "per_class": rows,
        "confusion": {"classes": [row["class"] for row in rows], "counts": counts},
    }
    html = page([run(evaluations={"test": document})])
    text = text_of(html)
    assert "The 30 of 300 classes with the lowest F1." in text and "c29 " in text
    assert "c31 " not in text
    assert "c7 taken for c8 (2)" in text


def test_every_output_has_its_own():
    one, other = evaluation("cat"), evaluation("tall")
    keys = ("per_class", "confusion")
    outputs = {"kind": {k: one[k] for k in keys}, "size": {k: other[k] for k in keys}}
    outputs["price"] = {"per_class": [], "confusion": None}
    document = {**one, "confusion": None, "outputs": outputs}
    text = text_of(page([run(evaluations={"test": document})]))
    assert "Output kind" in text and "Output size" in text and "Output price" not in text
    assert "cat taken for dog" in text and "tall taken for dog" in text
