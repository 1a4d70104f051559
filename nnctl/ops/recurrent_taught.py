"""Teacher forcing (Williams & Zipser 1989): u multiplies what is right, not what the layer gave.

What is right after a step is read at the next one: x1 (T, units), or tokens (T,), of which each is
a 1 among zeros. The first step has the state of the start.
"""

from nnctl.engine.intrinsics import lanes_of, size_of, view
from nnctl.engine.kernel import Sizes, tiles
from nnctl.engine.maths import like
from nnctl.ops.conv_core import clear, copy
from nnctl.ops.dense import columns_of, padded
from nnctl.ops.recurrent import multiply, place, row, shard


@tiles("trace", split=shard, rowwise="x1")
def teach(x1, x1_ld, trace, g, tokens, first_row, last_row, unit):
    """Put what u multiplies at each step into the row before; row 0 has a mask that hides none."""
    size, n = size_of(unit), g.units
    for r in range(first_row, last_row):
        ones = view(row(trace, r, 0, g, size), n, unit)
        for j in range(n):
            ones[j] = like(1, unit)
        for k in range(1, g.steps):
            at, t = row(trace, r, k, g, size) + size * g.handed, place(k, g)
            if tokens:
                clear(at, n, unit)
                token = int(view(x1 + size * (r * x1_ld + t), 1, unit)[0])
                if token < n:
                    view(at, n, unit)[token] = like(1, unit)
            else:
                copy(x1 + size * (r * x1_ld + t * n), at, n, unit)


def _room(sizes: Sizes) -> int:
    return padded(sizes["g"].units, sizes.lanes) + 2 * sizes.lanes


@tiles("dx1", split=shard, rowwise="trace", scratch=_room)
def taught_slopes(
    trace, u_turned, zeros, dx1, dx1_ld, g, scratch, first_row, last_row, product1, product2, unit
):  # fmt: skip
    """dx1 = dgates @ u.T of all steps but the first."""
    size, n = size_of(unit), g.units
    wide = columns_of(n, lanes_of(unit))
    for r in range(first_row, last_row):
        for k in range(g.steps):
            out = dx1 + size * (r * dx1_ld + place(k, g) * n)
            dgates = row(trace, r, k + 1, g, size) + size * g.again
            multiply(
                dgates, g.width, g.columns_u, u_turned, n, scratch, wide, zeros, 0, 1,
                product1, product2, unit,
            )  # fmt: skip
            if k:
                copy(scratch, out, n, unit)
            else:
                clear(out, n, unit)
