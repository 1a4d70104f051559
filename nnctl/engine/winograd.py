"""Fewer multiplications for convolutions 3 x 3 (Winograd 1980; Lavin & Gray 2016).

A tile of 2 x 4 outputs of one channel pair takes 24 products instead of 72: for the window g on
the patch d of 4 x 6 places

    y = A' [(G g G') * (B' d B)] A        * number by number, at 24 points

with F(2, 3) along the height and F(4, 3) along the width (points 0, 1, -1, infinity and 0, 1, -1,
2, -2, infinity). These sizes keep the rounding close to that of the plain sum; 4 x 4 outputs would
lose a digit. Given g' and d', the gradients are the same products with the maps transposed.

Here are the maps, as code on a grid of vectors that stay in registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nnctl.engine.intrinsics import I64
from nnctl.engine.vectors import emit_load, emit_multiply_add, emit_store

HIGH, WIDE = 2, 4  # outputs of a tile
DOWN, ACROSS = HIGH + 2, WIDE + 2  # places of its patch
POINTS = DOWN * ACROSS


class _Numbers:
    """Vector arithmetic in the code being written."""

    def __init__(self, builder, vector):
        self.builder, self.vector = builder, vector

    def add(self, a, b):
        return self.builder.fadd(a, b)

    def sub(self, a, b):
        return self.builder.fsub(a, b)

    def scale(self, factor, a):
        return self.builder.fmul(self.constant(factor), a)

    def axpy(self, factor, a, b):
        """factor * a + b."""
        return emit_multiply_add(self.builder, self.constant(factor), a, b)

    def constant(self, value):
        return ir.Constant(self.vector, [value] * self.vector.count)


Map = Callable[[_Numbers, Sequence[ir.Value]], list[ir.Value]]


def patch_high(n, d):
    """B' of F(2, 3)."""
    return [n.sub(d[0], d[2]), n.add(d[1], d[2]), n.sub(d[2], d[1]), n.sub(d[3], d[1])]


def patch_wide(n, d):
    """B' of F(4, 3)."""
    even, odd = n.axpy(-4.0, d[2], d[4]), n.axpy(-4.0, d[1], d[3])
    near, far = n.sub(d[4], d[2]), n.sub(d[3], d[1])
    return [
        n.axpy(4.0, d[0], n.axpy(-5.0, d[2], d[4])),
        n.add(even, odd),
        n.sub(even, odd),
        n.axpy(2.0, far, near),
        n.axpy(-2.0, far, near),
        n.axpy(4.0, d[1], n.axpy(-5.0, d[3], d[5])),
    ]


def result_high(n, m):
    """A' of F(2, 3)."""
    return [n.add(m[0], n.add(m[1], m[2])), n.add(n.sub(m[1], m[2]), m[3])]


def result_wide(n, m):
    """A' of F(4, 3)."""
    one, other = n.add(m[1], m[2]), n.sub(m[1], m[2])
    two, differ = n.add(m[3], m[4]), n.sub(m[3], m[4])
    return [
        n.add(n.add(m[0], one), two),
        n.axpy(2.0, differ, other),
        n.axpy(4.0, two, one),
        n.add(n.axpy(8.0, differ, other), m[5]),
    ]


def spread_high(n, y):
    """A of F(2, 3)."""
    return [y[0], n.add(y[0], y[1]), n.sub(y[0], y[1]), y[1]]


def spread_wide(n, y):
    """A of F(4, 3)."""
    even, odd = n.add(y[0], y[2]), n.add(y[1], y[3])
    far, other = n.axpy(4.0, y[2], y[0]), n.axpy(4.0, y[3], y[1])
    return [
        y[0],
        n.add(even, odd),
        n.sub(even, odd),
        n.axpy(2.0, other, far),
        n.axpy(-2.0, other, far),
        y[3],
    ]


def window_high(n, g):
    """G of F(2, 3)."""
    ends, middle = n.scale(0.5, n.add(g[0], g[2])), n.scale(0.5, g[1])
    return [g[0], n.add(ends, middle), n.sub(ends, middle), g[2]]


def window_wide(n, g):
    """G of F(4, 3)."""
    ends = n.scale(-1 / 6, n.add(g[0], g[2]))
    far = n.axpy(1 / 24, g[0], n.scale(1 / 6, g[2]))
    return [
        n.scale(0.25, g[0]),
        n.axpy(-1 / 6, g[1], ends),
        n.axpy(1 / 6, g[1], ends),
        n.axpy(1 / 12, g[1], far),
        n.axpy(-1 / 12, g[1], far),
        g[2],
    ]


def gather_high(n, u):
    """G' of F(2, 3)."""
    ends = n.scale(0.5, n.add(u[1], u[2]))
    return [n.add(u[0], ends), n.scale(0.5, n.sub(u[1], u[2])), n.add(ends, u[3])]


def gather_wide(n, u):
    """G' of F(4, 3)."""
    near, far = n.scale(-1 / 6, n.add(u[1], u[2])), n.add(u[3], u[4])
    return [
        n.axpy(0.25, u[0], n.axpy(1 / 24, far, near)),
        n.axpy(1 / 6, n.sub(u[2], u[1]), n.scale(1 / 12, n.sub(u[3], u[4]))),
        n.add(n.axpy(1 / 6, far, near), u[5]),
    ]


class _Grid:
    """A grid of vectors in memory: strides in elements, and which of its places exist."""

    def __init__(self, numbers, base, strides, mask, limits):
        self.numbers, self.base, self.strides = numbers, base, strides
        self.mask, self.limits = mask, limits

    def place(self, i, j):
        build = self.numbers.builder
        down, across = (
            build.mul(s, ir.Constant(I64, k)) for s, k in zip(self.strides, (i, j), strict=True)
        )
        at = build.gep(self.base, [build.add(down, across)])
        return build.bitcast(at, self.numbers.vector.as_pointer())

    def lanes(self, i, j):
        if self.limits is None:
            return self.mask
        build = self.numbers.builder
        inside = build.and_(
            *(build.icmp_signed("<", ir.Constant(I64, k), n)
              for k, n in zip((i, j), self.limits, strict=True))
        )  # fmt: skip
        return build.select(inside, self.mask, ir.Constant(self.mask.type, None))

    def load(self, i, j):
        return emit_load(self.numbers.builder, self.place(i, j), self.lanes(i, j))

    def store(self, value, i, j):
        emit_store(self.numbers.builder, self.place(i, j), value, self.lanes(i, j))


def _down(numbers, rows, each):
    """Apply a map to the columns of a grid."""
    columns = [each(numbers, column) for column in zip(*rows, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def transform(shape: tuple[int, int], high: Map, wide: Map, edge: str = "", wide_first=False):
    """Return the intrinsic that reads a grid of ``shape``, maps its columns by ``high`` and its
    rows by ``wide``, and writes what comes of it.

    Arguments: address and strides (down, across) of what is read, of what is written, then the
    mask of the lanes and how many places down and across exist of the ``edge``: "read" (all lanes
    are written then) or "write".
    """

    @intrinsic
    def run(typingctx, source, s0, s1, target, t0, t1, mask, rows, columns, unit):
        def codegen(context, builder, signature, args):
            element = context.get_value_type(types.unliteral(unit))
            vector = ir.VectorType(element, mask.count)
            n = _Numbers(builder, vector)
            source, s0, s1, target, t0, t1, lanes, *limits, _ = args
            base = [builder.inttoptr(p, element.as_pointer()) for p in (source, target)]
            reads = _Grid(n, base[0], (s0, s1), lanes, limits if edge == "read" else None)
            if edge == "read":  # what does not exist counts as zeros
                lanes = ir.Constant(lanes.type, [1] * lanes.type.count)
            writes = _Grid(n, base[1], (t0, t1), lanes, limits if edge == "write" else None)
            grid = [[reads.load(i, j) for j in range(shape[1])] for i in range(shape[0])]
            if wide_first:
                grid = _down(n, [wide(n, row) for row in grid], high)
            else:
                grid = [wide(n, row) for row in _down(n, grid, high)]
            for i, row in enumerate(grid):
                for j, value in enumerate(row):
                    writes.store(value, i, j)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 6, mask, types.int64, types.int64, unit), codegen

    return run


to_points = transform((DOWN, ACROSS), patch_high, patch_wide)
from_points = transform((DOWN, ACROSS), result_high, result_wide)
from_points_at_edge = transform((DOWN, ACROSS), result_high, result_wide, edge="write")
gradient_to_points = transform((HIGH, WIDE), spread_high, spread_wide, "read", True)
window_to_points = transform((3, 3), window_high, window_wide)
window_from_points = transform((DOWN, ACROSS), gather_high, gather_wide)
