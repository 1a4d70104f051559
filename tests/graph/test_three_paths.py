"""The notes' Example 0.1 through the engine: a = 150 and da/df = 60 at f = 4, g = 2."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.plan import compile_plan

from .test_autodiff import INPUTS, three_paths


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_three_paths(dtype: str) -> None:
    plan = compile_plan(three_paths(), batch=1, eval_batch=1, dtype=dtype)
    try:
        parameters = plan.tensors()
        parameters["param/f.w"] = np.full((1, 1), 4, dtype=dtype)
        parameters["param/g.w"] = np.full((1, 1), 2, dtype=dtype)
        plan.restore(parameters)
        inputs = {name: np.full((1, 1), value, dtype=dtype) for name, value in INPUTS.items()}
        plan.attach("train", inputs, {"": np.zeros((1, 1))})
        # The loss is |a - 0|, whose gradient by a is 1.
        loss, gradients = plan.gradients("train", np.zeros(1, dtype=np.int64))
        assert loss == 150
        assert gradients["f.w"].item() == 60
        assert gradients["g.w"].item() == 100
    finally:
        plan.close()
