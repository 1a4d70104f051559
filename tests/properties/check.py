"""What a random case must do: its spec gives its shape, and its numbers are the reference's."""

from __future__ import annotations

import numpy as np

from nnctl.spec.registry import model
from tests.checks.machine import engine
from tests.checks.ops import same_bits
from tests.checks.setting import Data, Result, Setting
from tests.properties.draw import RandomCase
from tests.vectors.case import Array, Context

SLACK = 16.0
"""Errors of a sum of n terms are random steps: sqrt(n) roundings of the sum of magnitudes, and
some more where a product is split up (Winograd)."""
THREADS = (2, 3)


def check(case: RandomCase, seed: int, *, threads: bool) -> None:
    """Hold a case against its reference in both precisions. Raises AssertionError.

    With ``threads``, also at two and three threads against one.
    """
    _shape_of_spec(case)
    x, params, dy = case.data(seed)
    op, data = case.op, Data([x], params, [dy])
    wanted = _wanted(case, x, params, dy)
    sizes = _sizes(case, x, params, dy)
    for dtype in ("float64", "float32"):
        setting = Setting(dtype=dtype, memory="shared", padded=case.spare)
        found = engine(op, data, setting)
        assert not found.changed, f"changed: {', '.join(found.changed)}"
        for name, array in found.arrays().items():
            _near(array, wanted[name], sizes[name], case.terms, f"{name}, {dtype}")
        evaluated = engine(op, data, setting.but(training=False))
        same_bits(evaluated.y, found.y, f"y in evaluation, {dtype}")
        if threads and dtype == "float32":
            for count in THREADS:
                _same(found, engine(op, data, setting.but(threads=count)), f"{count} threads")


def _same(one: Result, other: Result, what: str) -> None:
    for name, array in one.arrays().items():
        same_bits(other.arrays()[name], array, f"{name} at {what}")


def _shape_of_spec(case: RandomCase) -> None:
    """The spec accepts the case, and says the same of its shapes."""
    op = case.op
    fields = {key: value for key, value in op.fields.items() if value is not None}
    if op.params:
        fields["bias"] = "b" in op.params
    if "depth_multiplier" not in fields and "filters" in model("layers", op.tag).model_fields:
        fields["filters"] = op.shape[-1]
    if op.tag.startswith("separable"):
        fields["filters"] = op.shape[-1]
    layer = model("layers", op.tag)(type=op.tag, **fields)
    assert layer.output_shape(op.shapes) == op.shape
    assert {n: p.shape for n, p in layer.parameters(op.shapes).items()} == dict(op.params)


def _wanted(case: RandomCase, x: Array, params: dict[str, Array], dy: Array) -> dict[str, Array]:
    return {"y": case.op.forward([x], params, Context()), **case.back(x, params, dy)}


def _sizes(case: RandomCase, x: Array, params: dict[str, Array], dy: Array) -> dict[str, float]:
    """The largest sum of magnitudes that each array could be of."""
    if case.ties:
        return {name: float(np.abs(a).max()) for name, a in _wanted(case, x, params, dy).items()}
    above = {name: np.abs(a) for name, a in params.items()}
    return {n: float(a.max()) for n, a in _wanted(case, np.abs(x), above, np.abs(dy)).items()}


def _near(found: Array, wanted: Array, size: float, terms: int, what: str) -> None:
    assert found.shape == wanted.shape, f"{what}: shape {found.shape}, wanted {wanted.shape}"
    assert not np.isnan(found).any(), f"{what}: {np.isnan(found).sum()} elements were not written"
    bound = SLACK * np.finfo(found.dtype).eps * max(terms, 1) ** 0.5 * size
    error = np.abs(found - wanted)
    worst = np.unravel_index(int(error.argmax()), error.shape)
    assert error[worst] <= bound, (
        f"{what}: element {tuple(map(int, worst))} is {found[worst]!r}, wanted {wanted[worst]!r}: "
        f"off by {error[worst]:.2g}, allowed {bound:.2g}"
    )
