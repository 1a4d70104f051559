"""A run in a sentence, and its most telling figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnctl.report.figures import duration, figure
from nnctl.report.runs import Run

SAID = 3  # figures in the sentence; all of them follow it
JUDGED = ("test", "validation", "train")
# How the reasons that the training loop gives read in a sentence; others stand as they are.
ENDINGS = {
    "epochs": "all epochs were done",
    "max_steps": "the most steps allowed were done",
    "loss_below": "the loss was low enough",
    "gradient_norm_below": "the gradient was small enough",
    "early_stopping": "the validation figures no longer improved",
    "max_time": "its time was up; it can be resumed",
    "SIGINT": "it was interrupted; it can be resumed",
    "SIGTERM": "it was told to end; it can be resumed",
    "diverged": "the loss became NaN or Inf",
}


def sentence(run: Run) -> str:
    """Return what happened, in one or two sentences; what is not known is left out."""
    epochs = run.history.epochs[-1] if run.history.epochs else 0
    steps = run.history.series.get("step", ())
    parts = [f"Trained for {epochs} epoch{'' if epochs == 1 else 's'}"]
    if steps:
        parts.append(f"({figure(int(steps[-1]))} steps)")
    seconds = run.summary.get("seconds")
    if seconds is not None:
        parts.append(f"in {duration(float(seconds))}")
    reason = run.summary.get("reason")
    if reason:
        parts.append(f"until {ENDINGS.get(str(reason), str(reason))}")
    text = " ".join(parts) + "."
    return " ".join(filter(None, [text, _best(run), _judgment(run)]))


def headline(run: Run) -> dict[str, Any]:
    """Return the figures to show large, by name: those of the most unseen split there is."""
    for split in JUDGED:
        metrics = final(run).get(split)
        if metrics:
            return {f"{split} {name}": value for name, value in metrics.items()}
    return {}


def final(run: Run) -> dict[str, Mapping[str, Any]]:
    """Return the figures of the final network by split; an evaluation says more than a summary."""
    found = dict(run.summary.get("metrics") or {})
    for split, document in run.evaluations.items():
        found[split] = document.get("metrics") or {}
    return found


def _best(run: Run) -> str:
    best = run.summary.get("best") or {}
    epoch = best.get("epoch", run.history.best)
    if epoch is None or not best:
        return ""
    restored = ", which the final network is" if run.summary.get("restored") else ""
    return f"Best {best.get('monitor')} {figure(best.get('value'))} at epoch {epoch}{restored}."


def _judgment(run: Run) -> str:
    for split in JUDGED:
        metrics = final(run).get(split)
        if metrics:
            told = list(metrics.items())[:SAID]
            named = ", ".join(f"{name} {figure(value)}" for name, value in told)
            return f"On {split}: {named}."
    return ""
