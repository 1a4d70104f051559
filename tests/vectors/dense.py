"""Dense layers, with and without bias, and with another layer's weights turned round."""

from __future__ import annotations

from tests.reference import ops
from tests.vectors.case import OpCase

# (batch, inputs, outputs): one, primes, around one, two and three vectors, sums in several blocks
_SIZES = [
    (1, 1, 1), (5, 7, 3), (1, 16, 16), (3, 15, 17), (4, 17, 15), (2, 31, 33), (7, 33, 31),
    (13, 32, 32), (17, 5, 47), (16, 48, 49), (33, 65, 2), (65, 2, 65), (3, 257, 5), (31, 300, 37),
    (257, 3, 4), (48, 97, 64), (130, 101, 9), (11, 8, 131),
]  # fmt: skip


def _dense(x, params, context):
    return ops.dense(x[0], params["w"], params.get("b"))


def _turned(x, params, context):
    return ops.dense(x[0], params["w"].T, params.get("b"))


def _case(batch, inputs, outputs, bias=True, transposed=False):
    shape = (outputs, inputs) if transposed else (inputs, outputs)
    params = {"w": shape, "b": (outputs,)} if bias else {"w": shape}
    note = ("turned " if transposed else "") + f"to {outputs}" + ("" if bias else " no bias")
    return OpCase(
        "dense", ((inputs,),), (outputs,), _turned if transposed else _dense, params=params,
        batch=batch, transposed=transposed, note=note, single=2e-5,
    )  # fmt: skip


def _steps(batch, steps, inputs, outputs, bias=True, transposed=False):
    shape = (outputs, inputs) if transposed else (inputs, outputs)
    params = {"w": shape, "b": (outputs,)} if bias else {"w": shape}
    note = f"{'turned ' if transposed else ''}every step to {outputs}{'' if bias else ' no bias'}"
    return OpCase(
        "dense", ((steps, inputs),), (steps, outputs), _turned if transposed else _dense,
        params=params, batch=batch, transposed=transposed, note=note, single=2e-5, blocks=True,
    )  # fmt: skip


CASES = [_case(*size) for size in _SIZES]
CASES += [_case(*size, bias=False) for size in [(5, 7, 3), (17, 33, 20)]]
CASES += [
    _case(*size, transposed=True)
    for size in [(1, 1, 1), (5, 7, 3), (3, 15, 17), (17, 33, 33), (33, 65, 31), (40, 300, 18)]
]
CASES += [_case(5, 7, 3, bias=False, transposed=True)]
CASES += [_steps(*size) for size in [(1, 1, 1, 1), (5, 4, 7, 3), (3, 9, 17, 33), (9, 3, 2, 40)]]
CASES += [_steps(4, 5, 6, 18, bias=False)]
CASES += [_steps(*size, transposed=True) for size in [(5, 4, 7, 3), (3, 9, 33, 18)]]
