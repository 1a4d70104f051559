"""The order of samples in an epoch."""

from __future__ import annotations

import numpy as np

from nnctl.random import Purpose, permutation


def order(seed: int, epoch: int, count: int, shuffle: bool = True) -> np.ndarray:
    """Return the rows of the training part in the order of one epoch (from 0), int64 (count,).

    A pure function of its arguments: a resumed run asks again and gets the same.
    """
    if not shuffle:
        return np.arange(count, dtype=np.int64)
    return permutation(seed, Purpose.SHUFFLE, count, epoch)


def streams(count: int, batch: int) -> np.ndarray:
    """Return the order of every epoch in which sample i of a batch is the row after sample i of the
    batch before, int64 (count,).

    The rows are cut into ``batch`` streams, side by side and all of one length, but for the first
    ``count % batch``, which are longer by the row that each has in a last, smaller batch.
    """
    short, longer = divmod(count, batch)
    stream = np.arange(batch, dtype=np.int64)
    first = stream * short + np.minimum(stream, longer)
    whole = (first + np.arange(short, dtype=np.int64)[:, None]).reshape(-1)
    return np.concatenate([whole, first[:longer] + short])
