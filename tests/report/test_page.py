"""The page stands alone, says what the run said, and lets nothing that a user wrote be markup."""

import re
from html.parser import HTMLParser

from nnctl.report.history import history
from nnctl.report.page import page
from tests.report.fakes import epoch_events, evaluation, run

EVIL = "<script>alert(1)</script>&\"'"
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Balanced(HTMLParser):
    """Checks that every element is closed in order, and collects tags and ids."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(html):
    parser = Balanced()
    parser.feed(html)
    assert parser.open == []
    return parser


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("<body>")[1]).split())


def test_says_what_the_run_said():
    text = text_of(page([run()]))
    assert "Trained for 12 epochs (120 steps) in 1 min 15 s until all epochs were done." in text
    assert "Best validation.loss 0.5 at epoch 6." in text
    assert "On test: loss 0.25, accuracy 0.8571, log_loss –." in text
    for expected in ("best epoch 6", "accuracy&gt;=0.9", "not met", "cat taken for dog (1)"):
        assert expected in text
    for heading in ("Curves", "Confusion matrix", "By class", "Layers", "Environment", "Spec"):
        assert heading in text


def test_a_figure_that_is_never_defined_has_no_chart():
    events = epoch_events()
    for event in events:
        event["metrics"]["test"]["r2"] = None
    html = page([run(history=history(events))])
    assert "r2 by epoch" not in html and "accuracy by epoch" in html
    assert "Undefined in every epoch, and not drawn: r2" in text_of(html)
    events[3]["metrics"]["test"]["r2"] = 0.5
    html = page([run(history=history(events))])
    assert "r2 by epoch" in html and "Undefined" not in text_of(html)


def test_stands_alone_without_script():
    html = page([run()])
    assert "script" not in parsed(html).tags
    assert not re.search(r'(?:src|href)="(?!#|data:image/png;base64,)', html)
    assert "@import" not in html and "url(http" not in html


def test_is_well_formed_for_one_and_for_several():
    parsed(page([run()]))
    parsed(page([run(), run("pets-002", 0.2)]))


def test_nothing_that_a_user_wrote_is_markup():
    evil = run(
        EVIL,
        evaluations={"test": evaluation(EVIL)},
        spec=EVIL,
        settings={EVIL: EVIL},
        summary={"reason": EVIL, "environment": {EVIL: EVIL}},
        layers=({EVIL: EVIL},),
    )
    for html in (page([evil]), page([evil, run()])):
        assert "script" not in parsed(html).tags
        assert "alert(1)" in html


def test_a_metric_name_in_a_chart_is_no_markup():
    events = epoch_events()
    events[0]["metrics"]["train"]["<b>"] = 1.0
    assert "b" not in parsed(page([run(history=history(events))])).tags


def test_same_run_same_bytes():
    assert page([run()]) == page([run()])


def test_light_and_dark_and_small_and_printed():
    html = page([run()])
    assert "prefers-color-scheme: dark" in html
    assert 'name="viewport"' in html
    assert "@media print" in html
    assert "var(--c0)" in html and "#010b" not in html


def test_a_run_of_200_epochs_weighs_less_than_a_megabyte():
    assert len(page([run(history=history(epoch_events(200)))])) < 1_000_000


def test_a_run_that_has_barely_begun():
    bare = run(summary={}, history=history([]), evaluations={}, layers=(), spec="", settings={})
    assert "Trained for 0 epochs." in text_of(page([bare]))
    parsed(page([bare]))


def test_several_runs_show_what_differs():
    text = text_of(page([run(), run("pets-002", 0.2)]))
    assert "Comparison of 2 runs" in text
    assert "optimizer.learning_rate 0.1 0.2" in text
    assert "training.epochs" not in text


def test_recurrent_layers_are_told_of_with_two_charts_each():
    rows = [
        {"layer": f"{EVIL}{k}", "type": "gru", "samples": 16, "gradient": [0.0, 1e-4, 0.01, 1.0],
         "influence": [2.0, 0.9, 0.04, 0.01]}
        for k in range(2)
    ]  # fmt: skip
    html = page([run(fading=tuple(rows))])
    parsed(html)
    text = text_of(html)
    assert "What recurrent layers remember" in text and EVIL not in html
    assert "gru, 16 samples. It falls below half of the nearest input&#39;s influence" in text
    assert "influence after 1 step," in text
    assert "below a hundredth of the nearest input&#39;s influence after 3 steps" in text
    assert text.count("gradient norm by step") == text.count("influence of an input") == 2
    rows = [{"layer": "r", "type": "lstm", "missing": "for a reason"}]
    assert "There are no charts of it: for a reason." in text_of(page([run(fading=tuple(rows))]))
    assert "What recurrent layers remember" not in page([run()])


def test_numbers_that_are_none_or_all_zero_are_no_chart_to_fail_on():
    row = {"layer": "r", "type": "rnn", "samples": 1, "gradient": [None, 0.0], "influence": []}
    parsed(page([run(fading=(row,))]))
