"""Tables of text: widths come from the content alone, never from the terminal or the locale."""

from __future__ import annotations

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Return a table; ``right`` has an ``r`` for each column that is aligned to the right.

    The last column is not padded, and no line ends in spaces.
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    rule = ["-" * width for width in widths]
    sides = right.ljust(len(header))
    return "\n".join(_line(line, widths, sides) for line in [lines[0], rule, *lines[1:]])


def _line(cells: Sequence[str], widths: Sequence[int], sides: str) -> str:
    padded = (
        cell.rjust(width) if side == "r" else cell.ljust(width)
        for cell, width, side in zip(cells, widths, sides, strict=False)
    )
    return "  ".join(padded).rstrip()
