"""The product everything dense, convolutional and recurrent is made of, one panel of columns wide.

    C[m, :] = I[m, :] + sum_r sum_k A[m, r, k] * B[r, k, :]        m < M, r < R, k < K

The columns are one or two vectors wide; a tile of rows of C stays in registers while r and k run,
A is broadcast an element at a time, so any strides do, and no operand is ever packed. Each element
of C is one chain of multiply-adds in the order of (r, k): neither M nor the height of a tile can
change its bits. I is the initial value: a bias (row stride 0), zeros, or C itself to accumulate.
There is a tile of every height: the last rows are cut into two of about one height, none so low
that it waits for each step of its sum. On two AVX-512 cores 12 rows of two vectors reach 165-180
GFLOP/s (14 would be 2 % better).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nnctl.engine import cpu
from nnctl.engine.intrinsics import I32, I64
from nnctl.engine.jit import native
from nnctl.engine.source import define
from nnctl.engine.vectors import emit_multiply_add

ELEMENTS = {np.dtype(np.float32): ir.FloatType(), np.dtype(np.float64): ir.DoubleType()}
SIGNATURE = types.void(*[types.int64] * 14)


class Tile:
    """Emits the vector code of one tile of ``height`` rows by ``vectors`` vectors."""

    def __init__(self, builder, dtype, height, vectors):
        self.builder, self.height, self.vectors = builder, height, vectors
        self.lanes = cpu.lanes(dtype)
        self.element = ELEMENTS[np.dtype(dtype)]
        self.vector = ir.VectorType(self.element, self.lanes)
        self.align = np.dtype(dtype).itemsize

    def pointer(self, address):
        return self.builder.inttoptr(address, self.element.as_pointer())

    def place(self, base, index):
        at = self.builder.gep(base, [ir.Constant(I64, index * self.lanes)])
        return self.builder.bitcast(at, self.vector.as_pointer())

    def row(self, base, v):
        return self.builder.load(self.place(base, v), align=self.align)

    def broadcast(self, scalar):
        empty = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(empty, scalar, ir.Constant(I32, 0))
        zeros = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, empty, zeros)

    def multiply_add(self, a, b, c):
        return emit_multiply_add(self.builder, a, b, c)


def _emit(tile, args):
    """Two nested counted loops, r outside k, with the accumulators as phi nodes."""
    build = tile.builder
    pa, sam, sar, sak, pb, sbr, sbk, pc, scm, pi, sim, rounds, depth = args
    a, b, c, start = (tile.pointer(p) for p in (pa, pb, pc, pi))
    zero, one, rows = ir.Constant(I64, 0), ir.Constant(I64, 1), range(tile.height)
    count = tile.height * tile.vectors
    initial = []
    for m in rows:
        base = build.gep(start, [build.mul(sim, ir.Constant(I64, m))])
        initial += [tile.row(base, v) for v in range(tile.vectors)]
    offsets = [build.mul(sam, ir.Constant(I64, m)) for m in rows]
    entry, function = build.block, build.function
    outer, inner, after, end = (
        function.append_basic_block(n) for n in ["outer", "inner", "after", "end"]
    )
    pointer = tile.element.as_pointer()

    build.branch(outer)
    build.position_at_end(outer)
    r, ra, rb = build.phi(I64), build.phi(pointer), build.phi(pointer)
    held = [build.phi(tile.vector) for _ in range(count)]
    build.branch(inner)
    build.position_at_end(inner)
    k, ka, kb = build.phi(I64), build.phi(pointer), build.phi(pointer)
    sums = [build.phi(tile.vector) for _ in range(count)]
    columns = [tile.row(kb, v) for v in range(tile.vectors)]
    new = []
    for m in rows:
        x = tile.broadcast(build.load(build.gep(ka, [offsets[m]])))
        for v, column in enumerate(columns):
            new.append(tile.multiply_add(x, column, sums[m * tile.vectors + v]))
    k_next = build.add(k, one)
    a_next, b_next = build.gep(ka, [sak]), build.gep(kb, [sbk])
    build.cbranch(build.icmp_signed("<", k_next, depth), inner, after)
    for phi, first, later in [
        (k, zero, k_next),
        (ka, ra, a_next),
        (kb, rb, b_next),
        *zip(sums, held, new, strict=True),
    ]:
        phi.add_incoming(first, outer)
        phi.add_incoming(later, inner)
    build.position_at_end(after)
    r_next = build.add(r, one)
    ra_next, rb_next = build.gep(ra, [sar]), build.gep(rb, [sbr])
    build.cbranch(build.icmp_signed("<", r_next, rounds), outer, end)
    for phi, first, later in [
        (r, zero, r_next),
        (ra, a, ra_next),
        (rb, b, rb_next),
        *zip(held, initial, new, strict=True),
    ]:
        phi.add_incoming(first, entry)
        phi.add_incoming(later, after)
    build.position_at_end(end)
    for m in rows:
        base = build.gep(c, [build.mul(scm, ir.Constant(I64, m))])
        for v in range(tile.vectors):
            build.store(new[m * tile.vectors + v], tile.place(base, v), align=tile.align)


def make_tile(dtype, height: int, vectors: int):
    """Return the intrinsic for one tile; arguments as the product's, without M."""

    @intrinsic
    def tile(typingctx, a, sam, sar, sak, b, sbr, sbk, c, scm, i, sim, r, k):
        def codegen(context, builder, signature, args):
            _emit(Tile(builder, dtype, height, vectors), args)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 13), codegen

    return tile


_PRODUCT = """
def {name}(a, sam, sar, sak, b, sbr, sbk, c, scm, i, sim, rows, r, k):
    m = 0
    while m < rows:
        at, ct, it = a + {size} * m * sam, c + {size} * m * scm, i + {size} * m * sim
        left = rows - m
        height = {tallest} if left >= {twice} else left if left <= {tallest} else (left + 1) // 2
{choices}
        m += height
"""
_CHOICE = """        {word} height == {height}:
            tile_{height}(at, sam, sar, sak, b, sbr, sbk, ct, scm, it, sim, r, k)"""


def _tallest(vectors: int) -> int:
    """Rows of the tallest tile: as many as the registers hold (32 with AVX-512, else 16)."""
    if cpu.VECTOR_BYTES == 64:
        return 12 if vectors == 2 else 16
    return 6 if vectors == 2 else 8


def _choices(tallest: int) -> str:
    heights = range(tallest, 0, -1)
    words = ["if", *["elif"] * (tallest - 1)]
    lines = [_CHOICE.format(word=w, height=h) for w, h in zip(words, heights, strict=True)]
    return "\n".join(lines)


def cycles(rows: int, vectors: int) -> int:
    """What a product of some rows costs for each step of its sum: a multiply-add of a vector a
    cycle, and at least the four that one waits for the one before."""
    tallest, total, left = _tallest(vectors), 0, rows
    while left:
        height = min(tallest, left if left <= tallest or left >= 2 * tallest else -(-left // 2))
        total += max(4, height * vectors)
        left -= height
    return total


@lru_cache
def product(dtype_name: str, vectors: int):
    """Return the compiled panel product of a dtype, one or two vectors wide."""
    tallest, size = _tallest(vectors), np.dtype(dtype_name).itemsize
    name = f"product_{dtype_name}_{vectors}"
    text = _PRODUCT.format(
        name=name, size=size, tallest=tallest, twice=2 * tallest, choices=_choices(tallest)
    )
    tiles = {f"tile_{n}": make_tile(dtype_name, n, vectors) for n in range(1, tallest + 1)}
    return native(SIGNATURE)(define(name, text, tiles, make_tile))
