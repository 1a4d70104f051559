"""Every op through every check, against independent references."""

from __future__ import annotations

import numpy as np
import pytest

from tests.checks.machine import engine
from tests.checks.ops import CHECKS, same_bits
from tests.checks.setting import Setting, draw
from tests.vectors import collect
from tests.vectors.case import OpCase

CASES = collect("CASES")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_op(case: OpCase, check: str) -> None:
    CHECKS[check](engine, case)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("groups", [2, 4])
def test_bias_gradient_of_groups_is_that_of_the_batch(groups: int, dtype: str) -> None:
    """Sums over samples have leaves of a quarter of the batch, so groups can be summed apart."""
    case = next(c for c in CASES if c.tag == "dense" and c.batch == 48)
    data, size = draw(case), case.batch // groups
    setting = Setting(dtype=dtype)
    whole = engine(case, data, setting).dw["b"]
    parts = [
        engine(
            case, data.rows(slice(g * size, (g + 1) * size)), setting.but(padded=case.batch - size)
        ).dw["b"]
        for g in range(groups)
    ]
    while len(parts) > 1:
        parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=True)]
    same_bits(parts[0], whole, f"db in {groups} groups")
    assert not np.array_equal(whole, np.zeros_like(whole))
