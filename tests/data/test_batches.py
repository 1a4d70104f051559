"""The orders of an epoch: random, by length. Streams: tests/plan/test_carried.py."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.data.batches import POOL, bucketed, order

LENGTHS = np.random.default_rng(0).integers(1, 100, 4003)
BATCH = 16


@pytest.mark.parametrize("count", [4003, 4000, 40, 5])
def test_by_length_every_sample_comes_once(count: int) -> None:
    found = bucketed(3, 1, LENGTHS[:count], BATCH)
    assert sorted(found) == list(range(count)) and found.dtype == np.int64


def test_samples_of_a_batch_are_of_near_lengths_and_batches_mixed() -> None:
    batches = LENGTHS[bucketed(3, 1, LENGTHS, BATCH)][: 4003 // BATCH * BATCH].reshape(-1, BATCH)
    assert np.ptp(batches, axis=1).mean() < 4, "a pool holds all lengths in 50 batches"
    longest = batches.max(axis=1)
    assert abs(np.corrcoef(longest[1:], longest[:-1])[0, 1]) < 0.2
    random = LENGTHS[order(3, 1, 4003)][: 4003 // BATCH * BATCH].reshape(-1, BATCH)
    assert np.ptp(random, axis=1).mean() > 50


def test_lengths_are_sorted_within_pools_alone() -> None:
    """A sample's batch depends on the epoch: batches are other ones each time."""
    one, other = (bucketed(3, epoch, LENGTHS, BATCH) for epoch in (0, 1))
    first = {frozenset(rows) for rows in np.split(one[:4000], 250)}
    assert not any(frozenset(rows) in first for rows in np.split(other[:4000], 250))
    pools = order(3, 0, 4003)[:4000]
    near = {int(row): k // (POOL * BATCH) for k, row in enumerate(pools)}
    assert all(len({near[int(row)] for row in rows}) == 1 for rows in np.split(one[:4000], 250))
    assert set(one[4000:]) == set(order(3, 0, 4003)[4000:])


def test_it_is_a_pure_function_of_seed_and_epoch() -> None:
    same = (bucketed(3, 1, LENGTHS, BATCH) for _ in range(2))
    assert np.array_equal(*same)
    assert not np.array_equal(bucketed(4, 1, LENGTHS, BATCH), bucketed(3, 1, LENGTHS, BATCH))
