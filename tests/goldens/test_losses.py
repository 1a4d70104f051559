"""The first losses of the specs' networks are those of PyTorch (``make_goldens.py``)."""

import json
from pathlib import Path

import numpy as np
import pytest

from nnctl.optim.schedules import rates
from tests.goldens.cases import CASES, STEPS, batches, prepared, start

GOLDENS = json.loads((Path(__file__).parent / "losses.json").read_text())["losses"]
# Ten steps in float32 lose a few digits; in float64 nearly none.
TOLERANCE = {"float64": 1e-10, "float32": 3e-4}


def losses(case, dtype, spoil=1.0):
    """Train the first steps, epoch by epoch; returns the loss of each."""
    found = prepared(case, dtype)
    plan, spec = found.plan, found.spec
    try:
        first = start({name: p.shape for name, p in found.graph.parameters.items()})
        plan.restore({f"param/{name}": value * spoil for name, value in first.items()})
        per_epoch = -(-found.parts["train"].samples // found.batch_size)
        got = []
        for step, (_, at, rows) in enumerate(batches(found)):
            rate = rates(spec.schedule, spec.optimizer, step, 1, per_epoch)
            log = plan.train(np.ascontiguousarray(rows), 0, step, rate)
            assert log.done == 1, at
            got += log.losses.tolist()
        return got
    finally:
        plan.close()


@pytest.mark.parametrize("case", CASES)
def test_first_losses(case):
    assert losses(case, "float64") == pytest.approx(GOLDENS[case], rel=TOLERANCE["float64"])


# The kernels are the same source in both: what only float32 could get wrong needs few cases.
@pytest.mark.parametrize("case", ["digits_mlp", "diabetes_mlp", "iris_multi_branch"])
def test_first_losses_in_float32(case):
    assert losses(case, "float32") == pytest.approx(GOLDENS[case], rel=TOLERANCE["float32"])


def test_every_case_has_its_golden_and_moves():
    assert set(GOLDENS) == set(CASES)
    for found in GOLDENS.values():
        assert len(found) == STEPS == len(set(found))


def test_the_comparison_can_fail():
    got = losses("xor_mlp", "float64", spoil=1.0 + 1e-7)
    assert got != pytest.approx(GOLDENS["xor_mlp"], rel=TOLERANCE["float64"])
