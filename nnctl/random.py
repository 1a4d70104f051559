"""Counter-based randomness: every stream is a pure function of (seed, purpose, index).

Nothing is saved and nothing is replayed: a resumed run asks for the same numbers again. Philox
(Salmon et al. 2011) is used in NumPy's 4x64 form here and in its 4x32 form inside the engine
(``engine/philox.py``). Imports nothing of nnctl.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What a stream is for; two purposes never share numbers. Values are part of the format."""

    INIT = 1
    SHUFFLE = 2
    SPLIT = 3
    DROPOUT = 4
    GENERATE = 5
    SAMPLE = 6
    VERIFY = 7
    BOOTSTRAP = 8
    BATCHES = 9


def generator(seed: int, purpose: Purpose, *index: int) -> np.random.Generator:
    """Return the generator of one stream, e.g. ``generator(seed, Purpose.SHUFFLE, epoch)``."""
    entropy = np.random.SeedSequence([seed, int(purpose), *index])
    return np.random.Generator(np.random.Philox(entropy))


def permutation(seed: int, purpose: Purpose, count: int, *index: int) -> np.ndarray:
    """Return a permutation of ``range(count)`` as int64, by sorting 64-bit keys.

    Written out, and not left to ``Generator.permutation``, whose algorithm NumPy may change.
    """
    bits = np.random.Philox(np.random.SeedSequence([seed, int(purpose), *index]))
    return np.argsort(bits.random_raw(count), kind="stable").astype(np.int64)
