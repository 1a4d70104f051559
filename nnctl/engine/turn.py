"""Turning a table round:  target[c, r] = source[r, c], a square of vectors at a time.

A square of L by L elements is loaded as L vectors, turned by log2(L) rounds of shuffles (Eklundh
1972: exchange blocks of 1, 2, 4, ... elements between pairs of rows), and stored; the edges are
done element by element. Strides are in elements.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nnctl.engine import cpu
from nnctl.engine.intrinsics import I32, I64, view
from nnctl.engine.jit import native
from nnctl.engine.source import define
from nnctl.engine.tiles import ELEMENTS

SIGNATURE = types.void(*[types.int64] * 6)


def _exchange(build, rows, distance):
    """Exchange blocks of ``distance`` elements between rows ``distance`` apart."""
    lanes = len(rows)

    def shuffle(a, b, pick):
        mask = ir.Constant(ir.VectorType(I32, lanes), [pick(k) for k in range(lanes)])
        return build.shuffle_vector(a, b, mask)

    for i in range(lanes):
        if i & distance:
            continue
        a, b = rows[i], rows[i + distance]
        # indices below ``lanes`` pick from a, those above from b
        rows[i] = shuffle(a, b, lambda k: k if not k & distance else lanes + k - distance)
        rows[i + distance] = shuffle(
            a, b, lambda k: k + distance if not k & distance else lanes + k
        )


def _make_square(dtype: np.dtype):
    lanes = cpu.lanes(dtype)
    element = ELEMENTS[dtype]
    vector = ir.VectorType(element, lanes)

    @intrinsic
    def square(typingctx, source, source_ld, target, target_ld):
        def codegen(context, build, signature, args):
            source, source_ld, target, target_ld = args
            read = build.inttoptr(source, element.as_pointer())
            write = build.inttoptr(target, element.as_pointer())

            def place(base, stride, i):
                at = build.gep(base, [build.mul(stride, ir.Constant(I64, i))])
                return build.bitcast(at, vector.as_pointer())

            rows = [
                build.load(place(read, source_ld, i), align=dtype.itemsize) for i in range(lanes)
            ]
            distance = 1
            while distance < lanes:
                _exchange(build, rows, distance)
                distance *= 2
            for i, row in enumerate(rows):
                build.store(row, place(write, target_ld, i), align=dtype.itemsize)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), codegen

    return square


_TURN = """
def {name}(source, source_ld, target, target_ld, rows, columns):
    whole_rows = rows - rows % {lanes}
    whole_columns = columns - columns % {lanes}
    for r in range(0, whole_rows, {lanes}):
        for c in range(0, whole_columns, {lanes}):
            square(source + {size} * (r * source_ld + c), source_ld,
                   target + {size} * (c * target_ld + r), target_ld)
    s = view(source, rows * source_ld, unit)
    t = view(target, columns * target_ld, unit)
    for r in range(rows):
        for c in range(whole_columns if r < whole_rows else 0, columns):
            t[c * target_ld + r] = s[r * source_ld + c]
"""


@lru_cache
def turn(dtype_name: str):
    """Return the compiled function (source, source_ld, target, target_ld, rows, columns)."""
    dtype = np.dtype(dtype_name)
    name = f"turn_{dtype_name}"
    text = _TURN.format(name=name, lanes=cpu.lanes(dtype), size=dtype.itemsize)
    names = {"square": _make_square(dtype), "view": view, "unit": dtype.type(0)}
    return native(SIGNATURE)(define(name, text, names, _make_square))
