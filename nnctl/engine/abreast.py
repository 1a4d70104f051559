"""The product of a single row, some panels of columns abreast: the bits of ``tiles.py``'s.

    C[p, :] = I[p, :] + sum_k A[k] * B[p, k, :]        p < panels, k < K

A row alone has one sum for each vector of a panel, and each step of a sum waits four cycles for the
one before. Panels side by side fill them. Panels are two vectors wide.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nnctl.engine.intrinsics import I64
from nnctl.engine.jit import native
from nnctl.engine.source import define
from nnctl.engine.tiles import SIGNATURE, Tile

ABREAST = 4  # panels, at most


def _emit(tile, panels, args):
    """A counted loop over k, with the accumulators as phi nodes."""
    build = tile.builder
    pa, sak, pb, sbp, sbk, pc, scp, pi, sip, depth = args
    a, b, c, start = (tile.pointer(p) for p in (pa, pb, pc, pi))

    def bases(first, stride):
        return [build.gep(first, [build.mul(stride, ir.Constant(I64, p))]) for p in range(panels)]

    initial = [tile.row(base, v) for base in bases(start, sip) for v in range(2)]
    entry, inner = build.block, build.function.append_basic_block("k")
    end = build.function.append_basic_block("end")
    pointer = tile.element.as_pointer()
    build.branch(inner)
    build.position_at_end(inner)
    k, ka, kb = build.phi(I64), build.phi(pointer), build.phi(pointer)
    sums = [build.phi(tile.vector) for _ in initial]
    x = tile.broadcast(build.load(ka))
    columns = [tile.row(base, v) for base in bases(kb, sbp) for v in range(2)]
    new = [tile.multiply_add(x, column, total) for column, total in zip(columns, sums, strict=True)]
    later = build.add(k, ir.Constant(I64, 1)), build.gep(ka, [sak]), build.gep(kb, [sbk])
    build.cbranch(build.icmp_signed("<", later[0], depth), inner, end)
    firsts, nexts = [ir.Constant(I64, 0), a, b, *initial], [*later, *new]
    for phi, first, following in zip([k, ka, kb, *sums], firsts, nexts, strict=True):
        phi.add_incoming(first, entry)
        phi.add_incoming(following, inner)
    build.position_at_end(end)
    places = [tile.place(base, v) for base in bases(c, scp) for v in range(2)]
    for value, place in zip(new, places, strict=True):
        build.store(value, place, align=tile.align)


def make_row(dtype: str, panels: int):
    """Return the intrinsic for so many panels; strides of b, c and i are from panel to panel."""

    @intrinsic
    def row(typingctx, a, sak, b, sbp, sbk, c, scp, i, sip, k):
        def codegen(context, builder, signature, args):
            _emit(Tile(builder, dtype, 1, 2), panels, args)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 10), codegen

    return row


_PRODUCT = """
def {name}(a, sam, sar, sak, b, sbp, sbk, c, scp, i, sip, panels, r, k):
    p = 0
    while p < panels:
        at, ct, it = b + {size} * p * sbp, c + {size} * p * scp, i + {size} * p * sip
        left = panels - p
{choices}
"""
_CHOICE = """        {word} left >= {panels}:
            row{panels}(a, sak, at, sbp, sbk, ct, scp, it, sip, k)
            p += {panels}"""


@lru_cache
def row_product(dtype_name: str):
    """Return the compiled product; its arguments are those of a panel product, with strides from
    panel to panel in place of those of r and m, and panels in place of rows."""
    counts = range(ABREAST, 0, -1)
    choices = [_CHOICE.format(word="if" if n == ABREAST else "elif", panels=n) for n in counts]
    name = f"row_product_{dtype_name}"
    size = np.dtype(dtype_name).itemsize
    text = _PRODUCT.format(name=name, size=size, choices="\n".join(choices))
    rows = {f"row{n}": make_row(dtype_name, n) for n in counts}
    return native(SIGNATURE)(define(name, text, rows, make_row))
