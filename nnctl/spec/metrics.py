"""What can be measured: names, which way is better, and parameters. Stdlib only.

A metric of one of several outputs is ``OUTPUT.accuracy``; of a split, as monitors name it,
``validation.accuracy``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from .gates import Gate, parse_gate, parse_gates

__all__ = ["METRICS", "SPLITS", "Gate", "Metric", "find", "parse_gate", "parse_gates", "split_name"]

SPLITS = ("train", "validation", "test")


Kind = Literal["classes", "classes of steps", "labels", "numbers", "forecasts", "numbers that end"]
"""What an output is compared with: one class a sample or a step, yes or no for each label, numbers,
the numbers that the input goes on with, or sequences of numbers whose ends it learns."""

STEPS: tuple[Kind, ...] = ("classes of steps",)
CLASSES: tuple[Kind, ...] = ("classes", *STEPS)
LABELS: tuple[Kind, ...] = ("labels",)
ENDING: tuple[Kind, ...] = ("numbers that end",)
FORECASTS: tuple[Kind, ...] = ("forecasts",)
NUMBERS: tuple[Kind, ...] = ("numbers", *FORECASTS, *ENDING)


@dataclass(frozen=True)
class Metric:
    """One figure, for outputs of some kinds.

    ``better`` is the direction of progress; ``per_class`` says that it is of one class.
    """

    name: str
    better: Literal["max", "min"]
    kinds: tuple[Kind, ...]
    text: str
    per_class: bool = False


_ALL = (
    Metric(
        "loss",
        "min",
        CLASSES + LABELS + NUMBERS,
        "the loss, without penalty, in evaluation mode",
    ),
    Metric("accuracy", "max", CLASSES + LABELS, "share of samples, or steps, with the right class"),
    Metric("log_loss", "min", CLASSES + LABELS, "mean of -ln of the true class's probability"),
    Metric("top_{k}_accuracy", "max", CLASSES, "share with the class among the k largest"),
    Metric("exact_match", "max", LABELS + STEPS, "share of samples with every label right"),
    Metric("perplexity", "min", STEPS, "exp of log_loss: as if so many classes were as likely"),
    Metric("bits_per_character", "min", STEPS, "log_loss in bits, of steps that are characters"),
    Metric("edit_distance", "min", STEPS, "edits from predicted to true sequence over its length"),
    Metric("precision", "max", CLASSES, "right among those given a class", True),
    Metric("recall", "max", CLASSES, "found among those of a class", True),
    Metric("f1", "max", CLASSES, "harmonic mean of precision and recall", True),
    Metric("macro_precision", "max", CLASSES, "mean of precision over the classes"),
    Metric("macro_recall", "max", CLASSES, "mean of recall over the classes"),
    Metric("macro_f1", "max", CLASSES, "mean of f1 over the classes"),
    Metric("mse", "min", NUMBERS, "mean of squared errors"),
    Metric("rmse", "min", NUMBERS, "root of mse, in the target's unit"),
    Metric("mae", "min", NUMBERS, "mean of the errors' magnitudes"),
    Metric(
        "r2",
        "max",
        NUMBERS,
        "share of the variance explained, at most 1; none if a column is constant",
    ),
    Metric("naive_mae", "min", FORECASTS, "mae of the target's last value, carried forward"),
    Metric("skill", "max", FORECASTS, "1 - mae / naive_mae: above 0 is better than to carry on"),
    Metric("length_error", "min", ENDING, "steps that a sequence is too long or too short, mean"),
)
METRICS = {metric.name: metric for metric in _ALL}

_NUMBER = re.compile(r"(?<=_)[1-9][0-9]*(?=_)")


def find(name: str) -> Metric | None:
    """Look a metric up: ``accuracy``, ``recall[7]``, ``top_3_accuracy``, ``OUTPUT.accuracy``."""
    head, bracket, label = name.partition("[")
    base = _NUMBER.sub("{k}", head.rsplit(".", 1)[-1])
    metric = METRICS.get(base)
    if metric is None or bool(bracket) != metric.per_class:
        return None
    return None if bracket and (len(label) < 2 or not label.endswith("]")) else metric


def split_name(monitor: str) -> tuple[str, str]:
    """Part ``validation.OUTPUT.loss`` in split and metric; the split is "" where none is named."""
    head, dot, rest = monitor.partition(".")
    return (head, rest) if dot and head in SPLITS else ("", monitor)
