"""Where recurrent layers start: from states that are trained, or those of the batch before."""

from nnctl.engine.intrinsics import lanes_of, size_of
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.ops.conv_core import copy
from nnctl.ops.dense import columns_of, panel_split
from nnctl.ops.recurrent import row, shard
from nnctl.ops.recurrent_sums import quarters


@tiles("carried", split=shard, rowwise="trace")
def carry_states(trace, carried, g, states, first_row, last_row, unit):
    """carried = the states after the last step, those of a sample in a row."""
    size, room = size_of(unit), columns_of(g.units, lanes_of(unit))
    for r in range(first_row, last_row):
        at = row(trace, r, g.steps, g, size) + size * g.state
        out = carried + size * r * states * g.units
        for s in range(states):
            copy(at + size * s * room, out + size * s * g.units, g.units, unit)


def _panels(sizes: Sizes) -> Split:
    """A panel of numbers a task, once for all samples."""
    split = panel_split(sizes, sizes["units"])
    return Split(1, 1, split.columns, split.column_tasks, split.width, limit=1)


@tiles("start", split=_panels)
def learned_start(h0, c0, units, states, start, first_column, last_column, unit):
    """start = the states that are trained, one after the other: the same for all samples."""
    size, count = size_of(unit), last_column - first_column
    for s in range(states):
        source = (c0 if s else h0) + size * first_column
        copy(source, start + size * (s * units + first_column), count, unit)


@tiles(
    "db",
    split=lambda sizes: panel_split(sizes, sizes["count"]),
    whole="dstart",
    scratch=lambda sizes: 16 * sizes.lanes,
)
def start_gradient(
    dstart, dstart_ld, first, count, db, db_accumulates, capacity, live, first_column, scratch, unit
):  # fmt: skip
    """db (+)= the sum over samples of what comes back to one of the states of the start."""
    size, n = size_of(unit), min(2 * lanes_of(unit), count - first_column)
    source = dstart + size * (first + first_column)
    quarters(
        source, size * dstart_ld, db + size * first_column, db_accumulates, n, capacity, live,
        scratch, unit, unit,
    )  # fmt: skip
