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


POOL = 50  # batches among whose samples near lengths are found


def bucketed(seed: int, epoch: int, lengths: np.ndarray, batch: int) -> np.ndarray:
    """Return the order of one epoch in which samples of near lengths share a batch, int64 (count,).

    The shuffled order is cut into pools, each is sorted by length (samples of one length stay as
    shuffled) and cut into batches, which are shuffled in their turn. The rest, too few for a batch,
    are the last samples of the shuffled order, of any length.
    """
    count = len(lengths)
    shuffled, whole = order(seed, epoch, count), count // batch * batch
    rows = shuffled[:whole]
    for start in range(0, whole, POOL * batch):
        pool = rows[start : start + POOL * batch]
        pool[:] = pool[np.argsort(lengths[pool], kind="stable")]
    mixed = permutation(seed, Purpose.BATCHES, whole // batch, epoch)
    return np.concatenate([rows.reshape(-1, batch)[mixed].reshape(-1), shuffled[whole:]])


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
