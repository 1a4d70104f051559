"""What an op's text can be made of."""

from __future__ import annotations

import pytest

from nnctl.engine.kernel import Bound, elementwise
from nnctl.engine.op import op


def test_a_formula_cannot_read_one_number_a_sample() -> None:
    """Its arrays are walked by columns: it would read the numbers of other samples."""

    @elementwise()
    def scaled(x, c):
        return x * c

    rows, column = Bound("rows", "f", (64, 8)), Bound("column", "f", (64,))
    with pytest.raises(TypeError, match="scaled: c is one number a sample"):
        op(scaled, "float32", {"x": rows, "c": column, "y": rows})
