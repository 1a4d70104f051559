"""The forms for machines hold the same figures as the page."""

import csv
import io
import json
import xml.etree.ElementTree as ET

from nnctl.report import charts, tables
from nnctl.report.history import history
from tests.report.fakes import epoch_events, run


def test_json_is_one_document_without_nan():
    events = epoch_events(3)
    events[1]["metrics"]["train"]["loss"] = float("inf")
    found = json.loads(tables.document([run(history=history(events))]))
    assert found["schema_version"] == 1
    (only,) = found["runs"]
    assert [row["epoch"] for row in only["epochs"]] == [1, 2, 3]
    assert only["epochs"][1]["train.loss"] is None
    assert only["metrics"]["test"]["accuracy"] == 6 / 7


def test_csv_has_a_line_an_epoch_and_every_digit():
    events = epoch_events(3)
    del events[1]["metrics"]["test"]
    rows = list(csv.DictReader(io.StringIO(tables.csv([run(history=history(events))]))))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert float(rows[2]["train.loss"]) == events[2]["metrics"]["train"]["loss"]
    assert rows[1]["test.loss"] == ""


def test_csv_of_two_runs_keeps_the_columns_of_both():
    other = [dict(event, penalty=0.5) for event in epoch_events(1)]
    text = tables.csv([run(), run("pets-002", history=history(other))])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["penalty"] == "" and rows[-1]["penalty"] == "0.5"


def test_markdown_escapes_what_would_be_markup():
    text = tables.markdown([run("a|b*c<d>"), run("pets-002", 0.2)])
    assert "| a\\|b\\*c\\<d\\> |" in text
    assert "| `optimizer.learning_rate` | 0.1 | 0.2 |" in text
    assert "| `accuracy>=0.9` | 0.857143 | **not met** |" in text


def test_svg_is_one_file_with_fixed_colors_and_the_same_bytes():
    svg = charts.sheet([run(), run("pets-002", 0.2)])
    ET.fromstring(svg)
    assert "var(--" not in svg and "#010" not in svg
    assert svg == charts.sheet([run(), run("pets-002", 0.2)])


def test_a_repeated_epoch_counts_once_the_last():
    events = epoch_events(3)
    again = dict(events[1], running_loss=9.0)
    found = history([*events[:2], again])
    assert found.epochs == (1, 2)
    assert found.series["running_loss"][1] == 9.0


def test_names_are_no_formulas_and_never_hidden():
    svg = charts.sheet([run("_a$x^2$"), run("pets-002", 0.2)])
    assert "_a$x^2$ validation" in svg
