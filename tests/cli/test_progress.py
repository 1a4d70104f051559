"""What is seen of a training: at most a line an epoch and a second; budgets of time."""

from __future__ import annotations

import pytest

from nnctl.cli._clock import clock, seconds_of, since_start
from nnctl.cli._progress import Progress
from nnctl.errors import UsageError
from nnctl.train import events


class Screen:
    """Takes what an Output would print."""

    def __init__(self, live=False):
        self.live = live
        self.lines, self.states = [], []

    def note(self, text):
        self.lines.append(text)

    def status(self, text):
        self.states.append(text)


def epoch(number, **metrics):
    return events.EpochDone(number, number * 4, 0.5, None, 0.01, 0.25, metrics)


def shown(seconds_between, epochs=10, live=False):
    """Return the screen after so many epochs, each taking so many seconds."""
    now = [0.0]
    screen = Screen(live)
    progress = Progress(screen, lambda: now[0])
    progress(events.RunStarted(0, 0, epochs, 4, 100))
    for number in range(1, epochs + 1):
        now[0] += seconds_between
        progress(events.Progress(number - 1, number * 4 - 1, 0.5, 0.01, 4, seconds_between))
        progress(epoch(number))
    progress(events.Finished(epochs, epochs * 4, "epochs"))
    return screen


def test_slow_epochs_have_a_line_each():
    assert len(shown(2.0).lines) == 10


def test_quick_epochs_have_a_line_a_second_and_the_last_is_there():
    lines = shown(0.25).lines
    assert len(lines) == 4
    assert lines[0].startswith("epoch  1/10") and lines[-1].startswith("epoch 10/10")


def test_a_line_says_which_loss_is_which():
    screen = Screen()
    Progress(screen)(epoch(3, test={"loss": 0.25, "accuracy": 0.5}))
    assert screen.lines == [
        "epoch 3  running loss 0.5000  test loss 0.2500 accuracy 0.5000  0.25 s"
    ]


def test_only_a_terminal_has_a_live_line():
    assert shown(2.0).states == []
    state = shown(2.0, live=True).states[-1]
    assert "epoch 10/10" in state and "2 steps/s" in state and "50 samples/s" in state
    assert "left" in state and "[#########...]" in state


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50m", 3000), ("1h30m", 5400), ("90s", 90), ("90", 90), ("1.5h", 5400), ("0", 0), ("0s", 0)],
)
def test_budgets(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5d", "-1", "1m1h", "nan", "inf", "m"])
def test_what_is_no_budget(text):
    with pytest.raises(UsageError, match="cannot read the time"):
        seconds_of(text)


def test_time_counts_from_the_start_of_the_process():
    first = since_start()
    assert 0 < first <= since_start()


def test_time_left_reads_as_a_clock():
    assert [clock(s) for s in (7, 750, 3723)] == ["0:07", "12:30", "1:02:03"]
