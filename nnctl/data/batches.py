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
