"""Curves as SVG, the same bytes for the same run: drawn with matplotlib's Figure API, no pyplot."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nnctl.report import theme
from nnctl.report.history import SPLITS, History
from nnctl.report.runs import Run

WIDTH, HEIGHT, LOW = 5.4, 2.9, 1.5  # inches; a low panel is the learning rate's
LOG_SPAN = 100.0  # a loss that falls by more than this factor is drawn on a logarithmic axis
FONT = "system-ui, sans-serif"
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "nnctl",
    "svg.fonttype": "none",
    "font.size": 9.0,
    "text.color": theme.INK,
    "axes.edgecolor": theme.MUTED,
    "axes.labelcolor": theme.INK,
    "axes.titlecolor": theme.INK,
    "xtick.color": theme.MUTED,
    "ytick.color": theme.MUTED,
    "grid.color": theme.GRID,
    "legend.labelcolor": theme.INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
}


def curves(runs: Sequence[Run], quantity: str) -> str:
    """Return the chart of one figure: by split for one run, overlaid for several."""
    with matplotlib.rc_context(STYLE):
        figure = _figure(HEIGHT)
        draw_curves(figure.subplots(), runs, quantity)
        return theme.for_page(to_svg(figure))


def learning_rate(runs: Sequence[Run]) -> str:
    """Return the low chart of the learning rate by epoch."""
    with matplotlib.rc_context(STYLE):
        figure = _figure(LOW)
        draw_learning_rate(figure.subplots(), runs)
        return theme.for_page(to_svg(figure))


def by_step(values: Sequence[float], first: int, title: str, below: str) -> str:
    """Return the low chart of a norm by step, on a logarithmic axis; zeros are left out."""
    with matplotlib.rc_context(STYLE):
        figure = _figure(LOW)
        axes = figure.subplots()
        known = [value if value > 0.0 else math.nan for value in values]
        steps = range(first, first + len(known))
        _line(axes, steps, known, color=theme.series(0), marker="o", markersize=2.5)
        if any(map(math.isfinite, known)):
            axes.set_yscale("log")
        axes.set_title(title, loc="left", fontweight="bold")
        axes.set_xlabel(below)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return theme.for_page(to_svg(figure))


def sheet(runs: Sequence[Run]) -> str:
    """Return all charts below each other as one SVG file that stands alone."""
    names = quantities(runs)
    with matplotlib.rc_context(STYLE):
        heights = [HEIGHT] * len(names) + [LOW]
        figure = _figure(sum(heights))
        figure.patch.set_facecolor(theme.PAPER)
        figure.patch.set_alpha(1.0)
        axes = figure.subplots(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        for panel, name in zip(axes, names, strict=False):
            draw_curves(panel, runs, name)
        draw_learning_rate(axes[-1], runs)
        return theme.for_file(to_svg(figure))


def quantities(runs: Sequence[Run]) -> list[str]:
    """Return the figures that any of the runs has curves of, loss first."""
    return [name for name in _named(runs) if _is_known(runs, name)]


def undefined(runs: Sequence[Run]) -> list[str]:
    """Return the figures that were taken, and that no run could define in any epoch."""
    return [name for name in _named(runs) if not _is_known(runs, name)]


def _named(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run.history.quantities()))


def _is_known(runs: Sequence[Run], name: str) -> bool:
    lines = (line for run in runs for line in run.history.of(name).values())
    return any(math.isfinite(value) for line in lines for value in line)


def draw_curves(axes: Axes, runs: Sequence[Run], quantity: str) -> None:
    """Draw one figure over the epochs, with the best epoch and the end marked."""
    if len(runs) == 1:
        _splits(axes, runs[0].history, quantity)
        _marks(axes, runs[0])
    else:
        _overlay(axes, runs, quantity)
    axes.set_title(_literal(quantity), loc="left", fontweight="bold")
    _epochs_below(axes)
    found = [value for run in runs for line in run.history.of(quantity).values() for value in line]
    if quantity == "loss" and _spans_decades(found):
        axes.set_yscale("log")
    axes.legend(loc="best", fontsize=8)


def draw_learning_rate(axes: Axes, runs: Sequence[Run]) -> None:
    """Draw the learning rate of the last step of every epoch."""
    for i, run in enumerate(runs):
        values = run.history.series.get("learning_rate", ())
        color = theme.series(i) if len(runs) > 1 else theme.MUTED
        _line(axes, run.history.epochs[: len(values)], values, color=color)
    axes.set_title("learning rate", loc="left", fontweight="bold")
    axes.set_ylim(bottom=0.0)
    _epochs_below(axes)


def _splits(axes: Axes, history: History, quantity: str) -> None:
    for split, values in history.of(quantity).items():
        _line(axes, history.epochs, values, color=theme.series(SPLITS.index(split)), label=split)


def _overlay(axes: Axes, runs: Sequence[Run], quantity: str) -> None:
    """Draw every run in its color: what it is judged by in full, its training curve dashed."""
    for i, run in enumerate(runs):
        found = run.history.of(quantity)
        judged = "validation" if "validation" in found else "test"
        color = theme.series(i)
        for split, dashes, width in ((judged, "-", 1.6), ("train", "--", 1.0)):
            if split in found:
                label = _literal(f"{run.name} {split}") if dashes == "-" else "_nolegend_"
                style = {"linestyle": dashes, "linewidth": width, "label": label}
                _line(axes, run.history.epochs, found[split], color=color, **style)


def _line(axes: Axes, epochs: Sequence[int], values: Sequence[float], **style: Any) -> None:
    """Draw what there is of a series; epochs that were not evaluated leave no hole."""
    known = [(x, y) for x, y in zip(epochs, values, strict=True) if math.isfinite(y)]
    if len(known) == 1:
        style |= {"marker": "o", "markersize": 3.5}
    axes.plot([x for x, _ in known], [y for _, y in known], **style)


def _marks(axes: Axes, run: Run) -> None:
    """Mark the best epoch, and where and why training ended."""
    if run.history.best is not None:
        axes.axvline(
            run.history.best,
            color=theme.INK,
            linewidth=0.9,
            linestyle=(0, (4, 3)),
            label=f"best epoch {run.history.best}",
        )
    if run.history.epochs:
        last = run.history.epochs[-1]
        axes.axvline(last, color=theme.MUTED, linewidth=0.9, linestyle=":", label=f"end {last}")


def _literal(text: str) -> str:
    """Return text as matplotlib shows it unchanged: no formula, and not hidden for its ``_``."""
    text = text.replace("$", r"\$")
    return f"\u200b{text}" if text.startswith("_") else text


def _epochs_below(axes: Axes) -> None:
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _spans_decades(values: Sequence[float]) -> bool:
    known = [value for value in values if math.isfinite(value)]
    return bool(known) and min(known) > 0.0 and max(known) > LOG_SPAN * min(known)


def _figure(height: float) -> Figure:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.patch.set_alpha(0.0)
    return figure


def to_svg(figure: Figure) -> str:
    """Return the figure as an SVG element: no date, no prolog, no ids but those referred to."""
    for axes in figure.axes:
        axes.patch.set_alpha(0.0)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font(?:-family)?: ([\d.]+px )?'[^;\"]*", lambda m: _font(m), svg)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    return re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)


def _font(match: re.Match[str]) -> str:
    size = match[1] or ""
    return f"font: {size}{FONT}" if size else f"font-family: {FONT}"
