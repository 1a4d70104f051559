"""Colors of the charts: drawn in stand-ins, which the page turns into its own light or dark ones.

matplotlib knows only fixed colors. Charts use the stand-ins below, which no one would draw with;
``for_page`` replaces them by CSS variables that follow the reader's scheme, ``for_file`` by the
light colors.
"""

from __future__ import annotations

INK, MUTED, GRID, PAPER = "#010a01", "#010a02", "#010a03", "#010a04"
# Okabe & Ito (2008): told apart with any kind of color vision. Train, validation and test are the
# first three; several runs take them in order.
LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#5b5b5b", "#7b3294")
DARK = ("#56b4e9", "#f28e4b", "#3ecf9e", "#e6a4c8", "#f0d848", "#9bd4f5", "#bdbdbd", "#c79be0")
BASE = {
    "ink": (INK, "#1d2127", "#e7eaee"),
    "muted": (MUTED, "#667080", "#9aa5b3"),
    "grid": (GRID, "#dfe3e8", "#333b45"),
    "paper": (PAPER, "#ffffff", "#161a1f"),
}


def series(index: int) -> str:
    """Return the stand-in of the ``index``-th line; after the last color they begin again."""
    return f"#010b{index % len(LIGHT):02x}"


def variables(dark: bool) -> dict[str, str]:
    """Return the CSS variables of one scheme by name."""
    named = {name: colors[2 if dark else 1] for name, colors in BASE.items()}
    return named | {f"c{i}": color for i, color in enumerate(DARK if dark else LIGHT)}


def for_page(svg: str) -> str:
    """Return the chart with CSS variables for its colors."""
    return _replace(svg, {name: f"var(--{name})" for name in variables(dark=False)})


def for_file(svg: str) -> str:
    """Return the chart with the light colors, to stand alone."""
    return _replace(svg, variables(dark=False))


def _replace(svg: str, colors: dict[str, str]) -> str:
    for name, color in colors.items():
        stand_in = BASE[name][0] if name in BASE else series(int(name[1:]))
        svg = svg.replace(stand_in, color)
    return svg
