"""Rows of the benchmark: what JSON carries (a contract), and how a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One row. With an ``error`` there are no figures."""

    workload: str
    threads: int
    ours_ms: float | None = None
    peer_ms: float | None = None
    peer: str = ""
    ratio: float | None = None  # peer_ms / ours_ms
    runs: int = 0
    loss_difference: float | None = None
    error: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the row as the contract has it; ``error`` only where there is one."""
        table = asdict(self)
        if not self.error:
            del table["error"]
        return table


def verdict(row: Row, target: float | None) -> str:
    """Say whether a row reaches its target."""
    if row.error:
        return "error"
    if target is None or row.ratio is None:
        return ""
    return "met" if row.ratio >= target else "missed"


COLUMNS = ("workload", "threads", "ours", "peer", "ratio", "target", "", "runs", "difference")


def table(rows: Sequence[tuple[Row, float | None]]) -> str:
    """Return the rows as aligned text, then the errors."""
    lines = [COLUMNS, *(_cells(row, target) for row, target in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(COLUMNS))]
    text = [
        "  ".join(
            c.ljust(w) if k == 0 else c.rjust(w)
            for k, (c, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    peers = sorted({row.peer for row, _ in rows if row.peer})
    text += [f"peer: {', '.join(peers)}"] if peers else []
    text += [f"error: {row.workload}: {row.error}" for row, _ in rows if row.error]
    return "\n".join(line.rstrip() for line in text)


def _cells(row: Row, target: float | None) -> tuple[str, ...]:
    return (
        row.workload,
        str(row.threads),
        _ms(row.ours_ms),
        _ms(row.peer_ms),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        "" if target is None else f"{target:g}",
        verdict(row, target),
        str(row.runs or ""),
        "" if row.loss_difference is None else f"{row.loss_difference:.1e}",
    )


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.4g} ms"
