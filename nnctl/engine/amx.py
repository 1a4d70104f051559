"""Products of float32 on a CPU's tiles (Intel AMX), every number as three of bfloat16.

    C[m, n] = I[m, n] + sum_k A[m, k] * B[k, n]

A float32 has 24 bits and is the sum of three bfloat16, of 8 bits each: itself rounded, what that
leaves rounded, and what is left then. Of the nine products of such parts the three smallest are
below what float32 rounds off; the other six are taken, and summed up in float32 (Henry, Tang &
Heinecke 2019). A tile takes 16 x 16 x 32 multiply-adds of bfloat16 in 16 cycles: that is 2.7 times
as many of float32 as vectors have, and errors are half of theirs.

Both sides are cut first. The left one lies in tiles of 16 rows: for each 32 places of the sum its
three parts, every part 16 rows of 32 numbers. The right one lies in tiles of 16 columns: for each
32 places its three parts, every part 16 pairs of places, a pair 16 columns of two numbers. Every
element of C is one sum in the order of k: the rows and columns beside it cannot change its bits.
"""

from __future__ import annotations

from functools import lru_cache

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from nnctl.engine.intrinsics import I8, I32, I64, load_int
from nnctl.engine.jit import inline, native

SIDE = 16  # rows or columns of a tile
DEPTH = 32  # places of the sum in a tile
ROW, PART = 64, 1024  # bytes of a tile's row, and of a tile
BLOCK = 3 * PART  # bytes of the parts of a tile
WIDE = 4 * SIDE  # columns of C come in whole fours of tiles
# parts of A and B that are multiplied, so that from one to the next few have to be read
PAIRS = ((2, 0), (1, 0), (1, 1), (0, 1), (0, 0), (0, 2))

VECTOR, WORDS = ir.VectorType(ir.FloatType(), SIDE), ir.VectorType(I32, SIDE)
HALVES = ir.VectorType(ir.IntType(16), 2 * SIDE)


def _all(value):
    return ir.Constant(WORDS, [value] * SIDE)


def _number(value):
    return ir.Constant(I64, value)


def _load(build, address, offset=0):
    at = build.add(address, _number(offset))
    return build.load(build.inttoptr(at, VECTOR.as_pointer()), align=4)


def _store(build, value, address, offset):
    at = build.add(address, _number(offset))
    build.store(value, build.inttoptr(at, value.type.as_pointer()), align=4)


def _parts(build, x):
    """The three parts of a vector of numbers, each in the upper half of a word."""
    found = []
    for _ in range(3):
        bits = build.add(build.bitcast(x, WORDS), _all(0x8000))  # rounds the half that goes
        found.append(build.and_(bits, _all(-0x10000)))
        x = build.fsub(x, build.bitcast(found[-1], VECTOR))
    return found


@intrinsic
def _cut_row(typingctx, source, target):
    """Cut 32 numbers side by side; the parts go to ``target``, a tile apart."""

    def codegen(context, build, signature, args):
        source, target = args
        first, second = (_parts(build, _load(build, source, at)) for at in (0, 4 * SIDE))
        upper = ir.Constant(ir.VectorType(I32, 2 * SIDE), list(range(1, 4 * SIDE, 2)))
        for k, sides in enumerate(zip(first, second, strict=True)):
            pair = (build.bitcast(side, HALVES) for side in sides)
            _store(build, build.shuffle_vector(*pair, upper), target, k * PART)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def _cut_pair(typingctx, first, second, target):
    """Cut 16 numbers at each of two places of the sum; the parts go to ``target``, a tile apart."""

    def codegen(context, build, signature, args):
        first, second = (_parts(build, _load(build, at)) for at in args[:2])
        for k, (a, b) in enumerate(zip(first, second, strict=True)):
            _store(build, build.or_(build.lshr(a, _all(16)), b), args[2], k * PART)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3), codegen


def _call(build, name, *values):
    kind = ir.FunctionType(ir.VoidType(), [v.type for v in values])
    build.call(cgutils.get_or_insert_function(build.module, kind, f"llvm.x86.{name}"), values)


def _tile(number):
    return ir.Constant(I8, number)


def _move(build, name, tile, address, stride):
    _call(build, name, _tile(tile), build.inttoptr(address, I8.as_pointer()), stride)


def _sums(name, high, wide):
    """The intrinsic that takes ``high`` by ``wide`` tiles of C from memory, or puts them there."""

    @intrinsic
    def move(typingctx, address, ld):
        def codegen(context, build, signature, args):
            stride = build.mul(args[1], _number(4))
            for tile in range(high * wide):
                m, n = divmod(tile, wide)
                row = build.add(args[0], build.mul(stride, _number(SIDE * m)))
                _move(build, name, tile, build.add(row, _number(ROW * n)), stride)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return move


def _products(high, wide):
    """The intrinsic that adds to ``high`` by ``wide`` tiles of C, the first of the CPU's, what 32
    places give; A's parts come to those from 4 on, B's to the others in turns. ``apart``: bytes
    from one row or column of tiles to the next."""

    @intrinsic
    def add(typingctx, left, right, apart):
        def codegen(context, build, signature, args):
            def take(tile, base, number, part):
                at = build.add(base, build.mul(args[2], _number(number)))
                at = build.add(at, _number(part * PART))
                _move(build, "tileloadd64", tile, at, _number(ROW))

            free = range(4 + high, 8)
            held: list[object] = [None] * 8
            for k, (a, b) in enumerate(PAIRS):
                for m in range(high if k == 0 or a != PAIRS[k - 1][0] else 0):
                    take(4 + m, args[0], m, a)
                for n in range(wide):
                    tile = free[(k * wide + n) % len(free)]
                    if held[tile] != (n, b):
                        take(tile, args[1], n, b)
                        held[tile] = n, b
                    for m in range(high):
                        places = (m * wide + n, 4 + m, tile)
                        _call(build, "tdpbf16ps", *map(_tile, places))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 3), codegen

    return add


@intrinsic
def _configure(typingctx, heights):
    """Say how many rows the tiles have, a byte each; a row has 64 bytes."""

    def codegen(context, build, signature, args):
        words = cgutils.alloca_once(build, ir.ArrayType(I64, 8))
        build.store(ir.Constant(words.type.pointee, None), words)
        wide = _number(int.from_bytes(bytes([ROW, 0] * 4), "little"))
        for k, word in {0: _number(1), 2: wide, 3: wide, 6: args[0]}.items():
            build.store(word, cgutils.gep_inbounds(build, words, 0, k))
        _call(build, "ldtilecfg", build.bitcast(words, I8.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def _release(typingctx):
    """Leave the tiles: a thread that holds some takes longer to be put aside."""

    def codegen(context, build, signature, args):
        _call(build, "tilerelease")
        return context.get_dummy_value()

    return types.void(), codegen


_take_square, _put_square = (_sums(name, 2, 2) for name in ("tileloadd64", "tilestored64"))
_take_row, _put_row = (_sums(name, 1, 4) for name in ("tileloadd64", "tilestored64"))
_add_square, _add_row = _products(2, 2), _products(1, 4)


def _bytes(*numbers):
    return int.from_bytes(bytes(numbers), "little")


# rows of the eight tiles, by those of the first and of the second tile of rows
FIRST, SECOND = _bytes(1, 1, 0, 0, 1, 0, 0, 0), _bytes(0, 0, 1, 1, 0, 1, 0, 0)
ALONE, OTHERS = _bytes(1, 1, 1, 1, 1, 0, 0, 0), _bytes(0, 0, 0, 0, 0, SIDE, SIDE, SIDE)
PAIRED_OTHERS = _bytes(0, 0, 0, 0, 0, 0, SIDE, SIDE)


def _multiply(left, right, c, c_ld, i, i_ld, rows, columns, blocks):
    """C = I + A B of parts: whole ``WIDE`` of columns, and ``blocks`` blocks of the sum. C and I
    are float32; a row lies ``c_ld`` and ``i_ld`` numbers from the next."""
    apart = blocks * BLOCK
    for m in range(0, rows, 2 * SIDE):
        a, out, start = left + m // SIDE * apart, c + 4 * m * c_ld, i + 4 * m * i_ld
        if rows - m > SIDE:
            _configure(SIDE * FIRST + min(SIDE, rows - m - SIDE) * SECOND + PAIRED_OTHERS)
            for n in range(0, columns, 2 * SIDE):
                b = right + n // SIDE * apart
                _take_square(start + 4 * n, i_ld)
                for k in range(0, apart, BLOCK):
                    _add_square(a + k, b + k, apart)
                _put_square(out + 4 * n, c_ld)
        else:
            _configure((rows - m) * ALONE + OTHERS)
            for n in range(0, columns, WIDE):
                b = right + n // SIDE * apart
                _take_row(start + 4 * n, i_ld)
                for k in range(0, apart, BLOCK):
                    _add_row(a + k, b + k, apart)
                _put_row(out + 4 * n, c_ld)
    _release()


@lru_cache
def product():
    """Return the compiled product of parts; its arguments are those of ``_multiply``."""
    return native(types.void(*[types.int64] * 9))(_multiply)


@inline
def cut_left(source, ld, rows, depth, target):
    """Cut some rows of ``depth`` numbers each."""
    apart = depth // DEPTH * BLOCK
    for r in range(rows):
        to = target + r // SIDE * apart + r % SIDE * ROW
        for k in range(depth // DEPTH):
            _cut_row(source + 4 * (r * ld + k * DEPTH), to + k * BLOCK)


@inline
def cut_right(places, columns, blocks, target):
    """Cut some columns, whole tiles of them; ``places``: where the addresses of the rows lie, as
    many as ``blocks`` have."""
    for k in range(blocks):
        for n in range(columns // SIDE):
            to = target + (n * blocks + k) * BLOCK
            for j in range(k * DEPTH, (k + 1) * DEPTH, 2):
                at = places + 8 * j
                _cut_pair(load_int(at) + ROW * n, load_int(at + 8) + ROW * n, to)
                to += ROW
