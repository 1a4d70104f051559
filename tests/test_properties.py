"""Random convolutions and pools: the first of seed 0. ``tests/properties`` runs any number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.properties.check import check
from tests.properties.draw import draw

COUNT, AT_ONCE, SEED = 240, 20, 0
THREADED = 6  # every such case at several threads too


@pytest.mark.parametrize("first", range(0, COUNT, AT_ONCE))
def test_random_cases(first: int) -> None:
    found = []
    for number in range(first, first + AT_ONCE):
        case = draw(SEED, number)
        try:
            check(case, SEED, threads=number % THREADED == 0)
        except AssertionError as error:
            found.append(f"{case.number} {case.op.id}: {error}")
    assert not found, "\n".join(found)


def test_a_number_that_is_wrong_is_found() -> None:
    for name in ("dx0", "dw", "db"):
        case = next(c for k in range(COUNT) if "b" in (c := draw(SEED, k)).op.params)

        def spoiled(x, params, dy, case=case, name=name):  # type: ignore[no-untyped-def]
            found = case.back(x, params, dy)
            found[name].flat[-1] += 1e-3 * np.abs(found[name]).max()
            return found

        with pytest.raises(AssertionError, match=f"{name}, float64: element"):
            check(replace(case, back=spoiled), SEED, threads=False)


def test_a_case_is_its_seed_and_number() -> None:
    one, again, other = draw(3, 8), draw(3, 8), draw(4, 8)
    assert one.op.id == again.op.id != other.op.id
    for a, b in zip(one.data(3)[1].values(), again.data(3)[1].values(), strict=True):
        assert np.array_equal(a, b)


def test_every_kind_of_case_is_drawn() -> None:
    drawn = [draw(SEED, k).op for k in range(COUNT)]
    fields = [op.fields for op in drawn]
    stems = {"conv", "depthwise_conv", "max_pool", "min_pool", "avg_pool"}
    tags = {f"{stem}{rank}d" for stem in stems for rank in (1, 2, 3)}
    tags |= {f"conv{rank}d_transpose" for rank in (1, 2, 3)}
    tags |= {f"separable_conv{rank}d" for rank in (1, 2)}
    assert tags <= {op.tag for op in drawn}
    for word in ("valid", "same", "full", "causal"):
        assert any(f.get("padding") == word for f in fields), word
    for mode in ("reflect", "edge"):
        assert any(f.get("padding_mode") == mode for f in fields), mode
    for key in ("dilation", "stride", "groups", "depth_multiplier", "output_padding"):
        assert any(np.max(f.get(key) or 0) > 1 for f in fields), key
    for key in ("flip_kernel", "count_padding"):
        assert any(f.get(key) for f in fields), key
    assert {1, 16, 17, 33, 64} <= {op.shapes[0][-1] for op in drawn}
