"""One self-contained HTML page about one run or several: no script, no request, light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nnctl.report import charts, theme
from nnctl.report.figures import duration, figure, setting
from nnctl.report.history import SPLITS
from nnctl.report.runs import Run, differences
from nnctl.report.story import headline, sentence

TEMPLATES = Path(__file__).parent / "templates"
WIDE_CONFUSION = 30  # classes above which a table of counts is no longer read by anyone


def page(runs: Sequence[Run]) -> str:
    """Return the page. Everything in it that a user wrote is escaped."""
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"figure": figure, "duration": duration, "setting": setting}
    return templates.get_template("page.html").render(
        title=", ".join(run.name for run in runs),
        runs=[_facts(run) for run in runs],
        single=len(runs) == 1,
        charts=[_chart(runs, name) for name in charts.quantities(runs)],
        rate=Markup(charts.learning_rate(runs)) if _has_rates(runs) else None,
        differences=differences(list(runs)) if len(runs) > 1 else [],
        columns=_columns(runs),
        colors=len(theme.LIGHT),
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        light=theme.variables(dark=False),
        dark=theme.variables(dark=True),
    )


def _chart(runs: Sequence[Run], name: str) -> dict[str, Any]:
    return {"name": name, "svg": Markup(charts.curves(runs, name))}


def _has_rates(runs: Sequence[Run]) -> bool:
    return any(run.history.series.get("learning_rate") for run in runs)


def _facts(run: Run) -> dict[str, Any]:
    return {
        "run": run,
        "sentence": sentence(run),
        "headline": headline(run),
        "evaluations": [
            {"split": split, **_evaluation(run.evaluations[split])}
            for split in (*SPLITS, *sorted(set(run.evaluations) - set(SPLITS)))
            if split in run.evaluations
        ],
        "environment": run.summary.get("environment") or {},
    }


def _evaluation(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the template needs of one evaluation, with the shares of the confusion."""
    confusion = document.get("confusion")
    rows = []
    if confusion and len(confusion["classes"]) <= WIDE_CONFUSION:
        for name, counts in zip(confusion["classes"], confusion["counts"], strict=True):
            total = sum(counts) or 1
            rows.append({"class": name, "cells": [(n, n / total) for n in counts]})
    return {
        "metrics": document.get("metrics") or {},
        "per_class": document.get("per_class") or [],
        "gates": document.get("gates") or [],
        "worst": document.get("worst") or [],
        "confusion": rows,
        "confused": _confused(confusion) if confusion else [],
        "samples": document.get("samples"),
    }


def _confused(confusion: Mapping[str, Any], most: int = 5) -> list[dict[str, Any]]:
    """Return the most frequent confusions of one class with another, the first in a tie first."""
    names = confusion["classes"]
    found = [
        {"true": names[i], "predicted": names[j], "count": count}
        for i, row in enumerate(confusion["counts"])
        for j, count in enumerate(row)
        if i != j and count
    ]
    return sorted(found, key=lambda row: -row["count"])[:most]


def _columns(runs: Sequence[Run]) -> list[str]:
    """Return the final figures that the comparison of several runs shows."""
    return list(dict.fromkeys(name for run in runs for name in headline(run)))
