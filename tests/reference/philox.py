"""Philox 4x32-10 in plain Python integers, from the paper (Salmon et al. 2011)."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np

MASK = 0xFFFFFFFF


def philox(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return tuple(c)


@lru_cache(maxsize=64)
def dropout_mask(rows: int, width: int, rate: float, context) -> np.ndarray:  # type: ignore[no-untyped-def]
    """True where a unit is kept: its number is at least ``rate`` of the whole range.

    Units lie in groups of 64: counter 16 g + lane gives units 64 g + 16 w + lane, w = 0..3.
    """
    kept = np.zeros((rows, width), dtype=bool)
    stream = zlib.crc32(context.node.encode())
    threshold = int(rate * 2**32)
    key = (context.seed & MASK, context.seed >> 32)
    for i in range(rows):
        for j in range(width):
            group, word, lane = j // 64, j % 64 // 16, j % 16
            out = philox((16 * group + lane, i, context.step & MASK, stream), key)
            kept[i, j] = out[word] >= threshold
    return kept
