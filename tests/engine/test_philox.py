"""Philox 4x32-10 against the known answers of Random123, in Python and compiled."""

from __future__ import annotations

import numpy as np
import pytest
from numba import types

from nnctl.engine.jit import entry
from nnctl.engine.philox import philox
from tests.reference import philox as plain

ONES = 0xFFFFFFFF
# counter, key, answer: kat_vectors of Random123 (Salmon et al. 2011)
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
WORDS = types.UniTuple(types.uint32, 4)


@entry(WORDS(*[types.uint32] * 6))
def compiled(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    return philox(c0, c1, c2, c3, k0, k1)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(counter, key, answer) -> None:  # type: ignore[no-untyped-def]
    assert plain.philox(counter, key) == answer
    assert compiled(*counter, *key) == answer


def test_compiled_is_plain_on_random_counters() -> None:
    stream = np.random.default_rng(0)
    for _ in range(200):
        words = [int(w) for w in stream.integers(0, 2**32, 6, dtype=np.uint64)]
        assert compiled(*words) == plain.philox(tuple(words[:4]), (words[4], words[5]))


def test_dropout_drops_its_rate() -> None:
    """Over many units the share kept is 1 - rate, and places do not repeat."""
    from tests.vectors.case import Context

    kept = plain.dropout_mask(40, 250, 0.3, Context())
    assert kept.mean() == pytest.approx(0.7, abs=0.015)
    assert len({row.tobytes() for row in kept}) == 40
    other = plain.dropout_mask(40, 250, 0.3, Context(step=4))
    assert (kept == other).mean() == pytest.approx(0.7**2 + 0.3**2, abs=0.02)
