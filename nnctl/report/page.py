"""One self-contained HTML page about one run or several: no script, no request, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nnctl.report import charts, evaluations, theme
from nnctl.report.fading import fading_charts
from nnctl.report.figures import duration, figure, setting
from nnctl.report.history import SPLITS
from nnctl.report.pictures import (
    activation_sheets,
    activation_title,
    frame_line,
    kernel_sheets,
    picture,
)
from nnctl.report.runs import Run, differences
from nnctl.report.story import headline, sentence

TEMPLATES = Path(__file__).parent / "templates"


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
        undefined=charts.undefined(runs),
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
            evaluations.facts(run, split)
            for split in (*SPLITS, *sorted(set(run.evaluations) - set(SPLITS)))
            if split in run.evaluations
        ],
        "environment": run.summary.get("environment") or {},
        "fading": fading_charts(run.fading),
        "kernels": kernel_sheets(run.kernels),
        "activations": _activations(run),
    }


def _activations(run: Run) -> dict[str, Any] | None:
    """Return the maps that the layers made of a sample, and the sample; None if none were kept."""
    about, arrays = run.activations
    sheets = activation_sheets(about, arrays)
    if not sheets:
        return None
    pixels = arrays.get("pictures")
    lines, sample = frame_line(about.get("frame")), None
    if pixels is not None:
        sample = picture(pixels[0], f"sample {about['sample']}", lines, wide=128)
    return {
        "title": activation_title(about),
        "sample": sample,
        "sheets": sheets,
        "of": about.get("of", len(sheets)),
    }


def _columns(runs: Sequence[Run]) -> list[str]:
    """Return the final figures that the comparison of several runs shows."""
    return list(dict.fromkeys(name for run in runs for name in headline(run)))
