"""How calls on samples are cut in tasks: by shapes alone, and never across quarters of a batch."""

from __future__ import annotations

from nnctl.engine.kernel import Split


def row_split(capacity: int, width: int) -> Split:
    """How calls on samples are cut: up to 16 shards or so, none below about four thousand numbers.

    From four shards on none lies across quarters of the batch, so that sums over its samples are
    leaves of a sum that a quarter of the batch can make alone.
    """
    wanted = max(1, min(16, capacity, capacity * width // 4096))
    rows = -(-capacity // wanted) if wanted < 4 else quarter_rows(capacity, wanted)
    return Split(rows, -(-capacity // rows), width, 1, width)


def quarter_rows(capacity: int, wanted: int) -> int:
    """The divisor of a quarter of the batch whose number of shards comes closest to ``wanted``."""
    quarter = -(-capacity // 4)

    def distance(rows: int) -> float:
        ratio = -(-capacity // rows) / wanted
        return max(ratio, 1 / ratio)

    return min((d for d in range(1, quarter + 1) if quarter % d == 0), key=distance)
