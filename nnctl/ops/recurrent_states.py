"""States and steps of a recurrent layer: masks of dropout, states handed on, cuts into segments."""

from nnctl.engine.intrinsics import lanes_of, size_of, view2
from nnctl.engine.kernel import tiles
from nnctl.engine.maths import like
from nnctl.ops.conv_core import copy
from nnctl.ops.dense import columns_of
from nnctl.ops.dropout import masked
from nnctl.ops.recurrent import Recurrence, row, shard
from nnctl.windows import segment


@tiles("trace", split=shard)
def recurrent_masks(
    trace, g, recurrent_dropout, step, seed, stream, first_row, last_row, unit
):  # fmt: skip
    """Put each sample's mask, 0 or 1 / (1 - rate) for each unit, into its row 0."""
    start = row(trace, first_row, 0, g, size_of(unit))
    rows = view2(start, last_row - first_row, g.rows * g.width, unit)
    for i in range(rows.shape[0]):
        for j in range(g.units):
            rows[i, j] = like(1, unit)
    masked(rows, rows, g.units, recurrent_dropout, step, seed, stream, first_row, unit)


@tiles("carried", split=shard, rowwise="trace")
def carry_states(trace, carried, carried_ld, at, g, states, first_row, last_row, unit):
    """carried = the states after the last step, those of a sample in a row, from ``at`` on."""
    size, room = size_of(unit), columns_of(g.units, lanes_of(unit))
    for r in range(first_row, last_row):
        last = row(trace, r, g.steps, g, size) + size * g.state
        out = carried + size * (r * carried_ld + at)
        for s in range(states):
            copy(last + size * s * room, out + size * s * g.units, g.units, unit)


@tiles("target", split=shard, rowwise="source")
def copy_states(
    source, source_ld, source_at, target, target_ld, target_at, count, first_row, last_row, unit
):  # fmt: skip
    """Copy ``count`` numbers of each sample's row."""
    size = size_of(unit)
    for r in range(first_row, last_row):
        start = source + size * (r * source_ld + source_at)
        copy(start, target + size * (r * target_ld + target_at), count, unit)


def segments(g: Recurrence, kept: int) -> list[Recurrence]:
    """Cut the steps into segments of about the root of their number, each a sequence of its own
    that starts from the states kept of the one before."""
    long = segment(g.steps)
    found = []
    for first in range(0, g.steps, long):
        count, last = min(long, g.steps - first), first + long >= g.steps
        found.append(
            g._replace(
                steps=count,
                rows=long + 1,
                every=g.every if last or g.every else 2,
                starts=kept if first else g.starts,
                start_at=(first // long - 1) * kept * g.units if first else 0,
                first=first,
                beyond=g.steps - first - count,
                ends=0 if last else kept,
            )
        )
    return found


def odd(width: int, lanes: int) -> int:
    """Whole vectors, an odd number of them: rows a power of two apart share sets of the cache."""
    vectors = -(-width // lanes)
    return (vectors + 1 - vectors % 2) * lanes
