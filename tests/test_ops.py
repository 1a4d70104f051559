"""Every op through every check, against independent references."""

from __future__ import annotations

import pytest

from tests.checks.machine import engine
from tests.checks.ops import CHECKS
from tests.vectors import collect
from tests.vectors.case import OpCase

CASES = collect("CASES")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_op(case: OpCase, check: str) -> None:
    CHECKS[check](engine, case)
