"""Vectors as values in kernels: a loop over windows keeps them in registers.

LLVM makes vectors of inner loops only, and of short ones (16 or 32 channels) none worth having.
Here a kernel takes a vector of channels from memory, goes through its window, and puts the result
back. A mask says how many lanes are meant; the others are neither read nor written.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

from nnctl.engine import cpu
from nnctl.engine.intrinsics import I32, I64


class _Lanes(types.Type):
    """As many numbers of a type as fill a vector."""

    def __init__(self, element):
        self.element = element
        self.count = cpu.VECTOR_BYTES * 8 // element.bitwidth
        super().__init__(f"Lanes({element}, {self.count})")


class _Mask(types.Type):
    """One bit for each lane of a vector."""

    def __init__(self, count):
        self.count = count
        super().__init__(f"Mask({count})")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        element = ir.FloatType() if fe_type.element == types.float32 else ir.DoubleType()
        super().__init__(dmm, fe_type, ir.VectorType(element, fe_type.count))


@register_model(_Mask)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, ir.VectorType(ir.IntType(1), fe_type.count))


def _kind(unit):
    return _Lanes(types.unliteral(unit))


def _spread(builder, scalar, count):
    """A vector of ``count`` times the scalar."""
    kind = ir.VectorType(scalar.type, count)
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(I32, 0))
    zeros = ir.Constant(ir.VectorType(I32, count), [0] * count)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)


def _call(builder, name, result, values):
    kind = ir.FunctionType(result, [v.type for v in values])
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, values)


def _suffix(vector):
    return f"v{vector.count}f{64 if isinstance(vector.element, ir.DoubleType) else 32}"


def _align(vector):
    return ir.Constant(I32, 8 if isinstance(vector.element, ir.DoubleType) else 4)


def emit_load(builder, pointer, mask):
    """The vector at a pointer to vectors; 0 in lanes that the mask leaves out."""
    vector = pointer.type.pointee
    values = [pointer, _align(vector), mask, ir.Constant(vector, None)]
    return _call(builder, f"llvm.masked.load.{_suffix(vector)}.p0", vector, values)


def emit_store(builder, pointer, value, mask):
    """Write the lanes of a vector that the mask names."""
    values = [value, pointer, _align(value.type), mask]
    _call(builder, f"llvm.masked.store.{_suffix(value.type)}.p0", ir.VoidType(), values)


def emit_multiply_add(builder, a, b, c):
    """a * b + c of vectors, in one rounding where the CPU can."""
    if cpu.HAS_FMA:
        return _call(builder, f"llvm.fma.{_suffix(a.type)}", a.type, [a, b, c])
    return builder.fadd(builder.fmul(a, b), c)


@intrinsic
def first_lanes(typingctx, count, unit):
    """The mask of the first ``count`` lanes (all, if there are fewer) of a vector of ``unit``."""
    lanes = _kind(unit).count

    def codegen(context, builder, signature, args):
        numbers = ir.Constant(ir.VectorType(I64, lanes), list(range(lanes)))
        return builder.icmp_signed("<", numbers, _spread(builder, args[0], lanes))

    return _Mask(lanes)(types.int64, unit), codegen


@intrinsic
def take(typingctx, address, mask, unit):
    """The vector at ``address``; 0 in lanes that the mask leaves out."""
    kind = _kind(unit)

    def codegen(context, builder, signature, args):
        pointer = builder.inttoptr(args[0], context.get_value_type(kind).as_pointer())
        return emit_load(builder, pointer, args[1])

    return kind(types.int64, mask, unit), codegen


@intrinsic
def put(typingctx, address, value, mask):
    """Write the lanes of ``value`` that the mask names to ``address``."""

    def codegen(context, builder, signature, args):
        pointer = builder.inttoptr(args[0], args[1].type.as_pointer())
        emit_store(builder, pointer, args[1], args[2])
        return context.get_dummy_value()

    return types.void(types.int64, value, mask), codegen


@intrinsic
def spread(typingctx, scalar):
    """The number in every lane."""
    kind = _kind(scalar)

    def codegen(context, builder, signature, args):
        return _spread(builder, args[0], kind.count)

    return kind(scalar), codegen


@intrinsic
def spread_bits(typingctx, number, unit):
    """The bits of a whole number (int32 beside float32) in every lane; never to be counted with."""
    kind = _kind(unit)

    def codegen(context, builder, signature, args):
        bits = builder.trunc(args[0], I32) if kind.element.bitwidth == 32 else args[0]
        return builder.bitcast(_spread(builder, bits, kind.count), context.get_value_type(kind))

    return kind(types.int64, unit), codegen


def _compare(emit):
    @intrinsic
    def compare(typingctx, a, b):
        def codegen(context, builder, signature, args):
            return emit(builder, a, *args)

        return _Mask(a.count)(a, b), codegen

    return compare


def _bits(builder, kind, value):
    integer = ir.IntType(kind.element.bitwidth)
    return builder.bitcast(value, ir.VectorType(integer, kind.count))


# lanes in which a is above b, or a is not a number; below b, alike; of the same bits
above = _compare(
    lambda build, kind, a, b: build.or_(
        build.fcmp_ordered(">", a, b), build.fcmp_unordered("uno", a, a)
    )
)
below = _compare(
    lambda build, kind, a, b: build.or_(
        build.fcmp_ordered("<", a, b), build.fcmp_unordered("uno", a, a)
    )
)
same_bits = _compare(
    lambda build, kind, a, b: build.icmp_signed("==", _bits(build, kind, a), _bits(build, kind, b))
)


@intrinsic
def pick(typingctx, mask, a, b):
    """``a`` in the lanes of the mask, ``b`` in the others."""

    def codegen(context, builder, signature, args):
        return builder.select(*args)

    return a(mask, a, b), codegen


@intrinsic
def plus(typingctx, a, b):
    """a + b."""

    def codegen(context, builder, signature, args):
        return builder.fadd(*args)

    return a(a, b), codegen


@intrinsic
def multiply_add(typingctx, a, b, c):
    """a * b + c, in one rounding where the CPU can."""

    def codegen(context, builder, signature, args):
        return emit_multiply_add(builder, *args)

    return a(a, b, c), codegen


@intrinsic
def address_of(typingctx, array):
    """Where an array's first element lies."""

    def codegen(context, builder, signature, args):
        data = context.make_array(array)(context, builder, args[0]).data
        return builder.ptrtoint(data, I64)

    return types.int64(array), codegen
