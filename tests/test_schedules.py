"""Learning rates against their formulas: pure functions of the step."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.optim import schedules
from nnctl.spec import registry
from tests.ids import short
from tests.vectors.schedules import BASE, SCHEDULES

SGD = registry.model("optimizers", "sgd")(type="sgd", learning_rate=BASE)
PER_EPOCH = 5


@pytest.mark.parametrize(("tag", "fields", "formula"), SCHEDULES, ids=lambda p: short(p, 40))
def test_rates_follow_the_formula(tag, fields, formula) -> None:  # type: ignore[no-untyped-def]
    model = registry.model("schedules", tag)(type=tag, **fields)
    found = schedules.rates(model, SGD, 0, 60, PER_EPOCH)
    wanted = [formula(step // PER_EPOCH) for step in range(60)]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, wanted, rtol=1e-14)


@pytest.mark.parametrize(("tag", "fields", "formula"), SCHEDULES, ids=lambda p: short(p, 40))
def test_asking_in_pieces_gives_the_same_bits(tag, fields, formula) -> None:  # type: ignore[no-untyped-def]
    model = registry.model("schedules", tag)(type=tag, **fields)
    whole = schedules.rates(model, SGD, 0, 60, PER_EPOCH)
    pieces = [schedules.rates(model, SGD, first, 7, PER_EPOCH) for first in range(0, 56, 7)]
    assert np.concatenate(pieces).tobytes() == whole[:56].tobytes()


def test_annealing_reaches_its_end_at_tau_and_stays() -> None:
    model = registry.model("schedules", "linear_annealing")(
        type="linear_annealing", final=0.001, epochs=4
    )
    found = schedules.rates(model, SGD, 0, 10, 1)
    assert found[0] == BASE
    assert (found[4:] == 0.001).all()
