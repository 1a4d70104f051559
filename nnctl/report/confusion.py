"""The confusion matrix as SVG: a table of counts or, of many classes, a map of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

from markupsafe import Markup, escape

from nnctl.report.confused import NUMBERED
from nnctl.report.figures import DASH, figure

MOST = 250  # classes up to which anything is drawn
BESIDE, BELOW = "recall", "precision"
NAME = 18  # letters of a name that are shown
LETTER = 7.0  # pixels of one, about
LINE = 20
LEVELS = 8  # of shade in a map


def confusion_svg(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup | None:
    """Return rows of true and columns of predicted classes; None where they are too many."""
    if not classes or len(classes) > MOST:
        return None
    return (
        _Table(classes, counts).svg() if len(classes) <= NUMBERED else _Map(classes, counts).svg()
    )


class _Frame:
    """Cells and the names around them, in pixels; ``left`` and ``top`` are the room for names."""

    def __init__(
        self, classes: Sequence[str], counts: Sequence[Sequence[int]], cell: float
    ) -> None:
        self.classes, self.counts, self.cell = classes, counts, cell
        self.names = [
            name if len(name) <= NAME else f"{name[: NAME - 1]}\u2026" for name in classes
        ]
        longest = LETTER * max(map(len, self.names))
        self.turned = longest > cell - 4
        self.left = LINE + max(longest, LETTER * len(BELOW)) + 8
        self.top = LINE + (longest + 8 if self.turned else LINE)
        self.side = cell * len(classes)

    def names_around(self, step: int = 1) -> Iterator[str]:
        for k in range(0, len(self.names), step):
            middle = (k + 0.5) * self.cell
            name = escape(self.names[k])
            yield _text(self.left - 6, self.top + middle, name, "end")
            x, y = self.left + middle, self.top - 6
            if self.turned:
                yield (
                    f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)" '
                    f'dominant-baseline="central">{name}</text>'
                )
            else:
                yield _text(x, y - 4, name, "middle")
        yield _text(self.left + self.side / 2, 10, "predicted", "middle", "muted")
        yield (
            f'<text class="muted" text-anchor="middle" dominant-baseline="central" '
            f'transform="translate(10 {self.top + self.side / 2:.1f}) rotate(-90)">true</text>'
        )

    def box(self) -> str:
        return (
            f'<rect class="frame" x="{self.left:.1f}" y="{self.top:.1f}" width="{self.side:.1f}" '
            f'height="{self.side:.1f}"/>'
        )

    def wrapped(self, parts: Iterator[str], right: float, below: float) -> Markup:
        width, height = self.left + self.side + right, self.top + self.side + below
        return Markup(
            f'<svg class="matrix" viewBox="0 0 {width:.1f} {height:.1f}" '
            f'style="width: {width:.0f}px; min-width: min({width:.0f}px, 40rem)" xmlns="http://www.w3.org/2000/svg">'
            + "".join(parts)
            + "</svg>"
        )


class _Table(_Frame):
    """Every count written; recall beside each row, precision below each column."""

    def __init__(self, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        digits = max(len(str(n)) for row in counts for n in row)
        super().__init__(
            classes, counts, max(34.0, 9.0 + 7.0 * digits, min(52.0, 300 / len(classes)))
        )

    def svg(self) -> Markup:
        return self.wrapped(self._parts(), right=self.cell + 14, below=self.cell + 10)

    def _parts(self) -> Iterator[str]:
        yield from self.names_around()
        totals = [sum(row) for row in self.counts]
        for i, row in enumerate(self.counts):
            for j, count in enumerate(row):
                if count:
                    yield self._cell(i, j, count, totals[i])
        yield from self._lines()
        yield self.box()
        yield from self._margins(totals)

    def _cell(self, i: int, j: int, count: int, total: int) -> str:
        x, y = self.left + j * self.cell, self.top + i * self.cell
        kind = "right" if i == j else "wrong"
        told = f"{self.classes[i]} taken for {self.classes[j]}: {count} of {total}"
        middle = self.cell / 2
        return (
            f'<g><title>{escape(told)}</title><rect class="{kind}" x="{x:.1f}" y="{y:.1f}" '
            f'width="{self.cell:.1f}" height="{self.cell:.1f}" '
            f'fill-opacity="{_shade(count / total):.2f}"/>'
            + _text(x + middle, y + middle, Markup(count), "middle")
            + "</g>"
        )

    def _lines(self) -> Iterator[str]:
        steps = [k * self.cell for k in range(1, len(self.classes))]
        down = "".join(f"M{self.left + s:.1f} {self.top:.1f}v{self.side:.1f}" for s in steps)
        across = "".join(f"M{self.left:.1f} {self.top + s:.1f}h{self.side:.1f}" for s in steps)
        yield f'<path class="frame" d="{down}{across}"/>'

    def _margins(self, totals: Sequence[int]) -> Iterator[str]:
        edge = self.cell / 2 + 8
        yield _text(self.left + self.side + edge, self.top - 10, BESIDE, "middle", "muted")
        yield _text(self.left - 6, self.top + self.side + edge, BELOW, "end", "muted")
        for k, total in enumerate(totals):
            right = self.counts[k][k]
            taken = sum(row[k] for row in self.counts)
            middle = (k + 0.5) * self.cell
            recall, precision = _ratio(right, total), _ratio(right, taken)
            yield _text(self.left + self.side + edge, self.top + middle, recall, "middle")
            yield _text(self.left + middle, self.top + self.side + edge, precision, "middle")


class _Map(_Frame):
    """Shades alone, one path for each: many classes make many cells, and most of them are empty."""

    def __init__(self, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        super().__init__(classes, counts, max(3.0, min(14.0, 640 / len(classes))))

    def svg(self) -> Markup:
        return self.wrapped(self._parts(), right=2, below=2)

    def _parts(self) -> Iterator[str]:
        yield from self.names_around(step=max(1, round(13 / self.cell + 0.4)))
        shades: dict[tuple[str, int], list[str]] = {}
        for i, row in enumerate(self.counts):
            total = sum(row)
            for j, count in enumerate(row):
                if count:
                    level = round(_shade(count / total) * LEVELS)
                    key = "right" if i == j else "wrong", level
                    shades.setdefault(key, []).append(f"M{j} {i}h1v1h-1z")
        yield (
            f'<g transform="translate({self.left:.1f} {self.top:.1f}) scale({self.cell:.3f})">'
            + "".join(
                f'<path class="{kind}" fill-opacity="{level / LEVELS:.3f}" d="{"".join(cells)}"/>'
                for (kind, level), cells in sorted(shades.items())
            )
            + "</g>"
        )
        yield self.box()


def _shade(share: float) -> float:
    """Return how dark a cell is: the root, so that a rare mistake can be seen, too."""
    return 0.1 + 0.6 * sqrt(share)


def _ratio(part: int, whole: int) -> str:
    return figure(part / whole, 2) if whole else DASH


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
        f'dominant-baseline="central">{escape(text)}</text>'
    )
