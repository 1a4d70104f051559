"""The few things numba cannot say: typed views of addresses, atomics, calls through pointers.

Addresses are int64 everywhere (uint64 + int64 is float64 in numba).
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.arrayobj import populate_array

from nnctl.engine import cpu

I8, I32, I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)


def _array_at(context, builder, kind, address, shape):
    """Build the descriptor of a C-ordered array that owns nothing."""
    element = context.get_data_type(kind.dtype)
    size = ir.Constant(I64, context.get_abi_sizeof(element))
    strides = [size]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    array = context.make_array(kind)(context, builder)
    populate_array(
        array,
        data=builder.inttoptr(address, element.as_pointer()),
        shape=shape,
        strides=strides,
        itemsize=size,
        meminfo=None,
    )
    return array._getvalue()


@intrinsic
def view(typingctx, address, count, unit):
    """1-D array of ``count`` elements of the type of ``unit`` at ``address``; owns nothing."""
    kind = types.Array(unit, 1, "C")

    def codegen(context, builder, signature, args):
        return _array_at(context, builder, kind, args[0], [args[1]])

    return kind(types.int64, types.int64, unit), codegen


@intrinsic
def view2(typingctx, address, rows, columns, unit):
    """2-D C-ordered array of the type of ``unit`` at ``address``; owns nothing."""
    kind = types.Array(unit, 2, "C")

    def codegen(context, builder, signature, args):
        return _array_at(context, builder, kind, args[0], [args[1], args[2]])

    return kind(types.int64, types.int64, types.int64, unit), codegen


@intrinsic
def load_int(typingctx, address):
    """The int64 at ``address``."""

    def codegen(context, builder, signature, args):
        return builder.load(builder.inttoptr(args[0], I64.as_pointer()))

    return types.int64(types.int64), codegen


@intrinsic
def store_int(typingctx, address, value):
    """Write an int64 at ``address``."""

    def codegen(context, builder, signature, args):
        builder.store(args[1], builder.inttoptr(args[0], I64.as_pointer()))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


def _bitcast(source, target):
    @intrinsic
    def cast(typingctx, value):
        def codegen(context, builder, signature, args):
            return builder.bitcast(args[0], context.get_value_type(signature.return_type))

        return target(source), codegen

    return cast


float_of_bits = _bitcast(types.int64, types.float64)
float32_of_bits = _bitcast(types.int32, types.float32)
bits_of_float = _bitcast(types.float64, types.int64)
bits_of_float32 = _bitcast(types.float32, types.int32)


def size_of(unit):
    """Bytes of an element of the type of ``unit``."""
    return np.dtype(type(unit)).itemsize


@overload(size_of)
def _size_of(unit):
    size = unit.bitwidth // 8
    return lambda unit: size


def lanes_of(unit):
    """Elements of the type of ``unit`` in a vector."""
    return cpu.lanes(type(unit))


@overload(lanes_of)
def _lanes_of(unit):
    count = cpu.VECTOR_BYTES * 8 // unit.bitwidth
    return lambda unit: count


def not_finite(value):
    """1 where ``value`` is NaN or Inf, else 0; by its bits, so that no float flag can drop it."""
    return int(not np.isfinite(value))


@overload(not_finite)
def _not_finite(value):
    if value == types.float32:
        mask = np.int32(0x7F800000)
        return lambda value: np.int32((bits_of_float32(value) & mask) == mask)
    wide = np.int64(0x7FF0000000000000)
    return lambda value: np.int32((bits_of_float(value) & wide) == wide)


@intrinsic
def fetch_add(typingctx, address, value):
    """Add to the int64 at ``address`` as one indivisible step; return what it was."""

    def codegen(context, builder, signature, args):
        target = builder.inttoptr(args[0], I64.as_pointer())
        return builder.atomic_rmw("add", target, args[1], "acq_rel")

    return types.int64(types.int64, types.int64), codegen


@intrinsic
def replace(typingctx, address, old, new):
    """Write ``new`` where the int64 at ``address`` is ``old``, as one indivisible step; return
    whether it was."""

    def codegen(context, builder, signature, args):
        target = builder.inttoptr(args[0], I64.as_pointer())
        found = builder.cmpxchg(target, args[1], args[2], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(types.int64, types.int64, types.int64), codegen


@intrinsic
def load_acquire(typingctx, address):
    """Read an int64 that another thread publishes."""

    def codegen(context, builder, signature, args):
        return builder.load_atomic(builder.inttoptr(args[0], I64.as_pointer()), "acquire", 8)

    return types.int64(types.int64), codegen


@intrinsic
def store_release(typingctx, address, value):
    """Publish an int64, and all that was written before it, to other threads."""

    def codegen(context, builder, signature, args):
        target = builder.inttoptr(args[0], I64.as_pointer())
        builder.store_atomic(args[1], target, "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def relax(typingctx):
    """Tell the core that this is a waiting loop."""

    def codegen(context, builder, signature, args):
        if cpu.IS_X86:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(
                cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), []
            )
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def give_way(typingctx):
    """Let another thread have this core (POSIX ``sched_yield``)."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(I32, [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), codegen


@intrinsic
def swap_float_mode(typingctx, mode):
    """Set the thread's MXCSR register and return the old value; 0 where there is none."""

    def codegen(context, builder, signature, args):
        if not cpu.IS_X86:
            return ir.Constant(I64, 0)
        word, raw = cgutils.alloca_once(builder, I32), I8.as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [raw])
        read = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse.stmxcsr")
        write = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse.ldmxcsr")
        builder.call(read, [builder.bitcast(word, raw)])
        old = builder.zext(builder.load(word), I64)
        builder.store(builder.trunc(args[0], I32), word)
        builder.call(write, [builder.bitcast(word, raw)])
        return old

    return types.int64(types.int64), codegen


@intrinsic
def wide(typingctx):
    """Let LLVM use 512-bit vectors in the enclosing function; its own choice is 256."""

    def codegen(context, builder, signature, args):
        if cpu.VECTOR_BYTES == 64:
            # llvmlite refuses attributes it does not know; the set itself takes them
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), codegen


def _emit_call(builder, values):
    kind = ir.FunctionType(ir.VoidType(), [I64] * (len(values) - 1))
    builder.call(builder.inttoptr(values[0], kind.as_pointer()), values[1:])


@intrinsic
def call_op(typingctx, function, memory, row, task, slot):
    """Call an op through its address: (arena, argument row, task, thread slot)."""

    def codegen(context, builder, signature, args):
        _emit_call(builder, list(args))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), codegen


@intrinsic
def call_product(typingctx, function, a, sam, sar, sak, b, sbr, sbk, c, scm, i, sim, m, r, k):
    """Call a panel product through its address; arguments as in ``tiles.py``."""

    def codegen(context, builder, signature, args):
        _emit_call(builder, list(args))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 15), codegen


@intrinsic
def call_parts(typingctx, function, left, right, c, scm, i, sim, m, n, blocks):
    """Call the product of parts through its address; arguments as in ``amx.py``."""

    def codegen(context, builder, signature, args):
        _emit_call(builder, list(args))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 10), codegen


@intrinsic
def call_turn(typingctx, function, source, source_ld, target, target_ld, rows, columns):
    """Call ``turn.py``'s function through its address."""

    def codegen(context, builder, signature, args):
        _emit_call(builder, list(args))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 7), codegen
