"""Philox 4x32-10 (Salmon et al. 2011) for kernels: numbers are a pure function of the counter."""

from __future__ import annotations

import numpy as np

from nnctl.engine.jit import inline

U32, U64 = np.uint32, np.uint64


@inline
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds on counter (c0..c3) and key (k0, k1), all uint32; four uint32 come out."""
    for _ in range(10):
        p0 = U64(0xD2511F53) * U64(c0)
        p1 = U64(0xCD9E8D57) * U64(c2)
        high0, low0 = U32(p0 >> U64(32)), U32(p0 & U64(0xFFFFFFFF))
        high1, low1 = U32(p1 >> U64(32)), U32(p1 & U64(0xFFFFFFFF))
        c0, c1, c2, c3 = U32(high1 ^ c1 ^ k0), low1, U32(high0 ^ c3 ^ k1), low0
        k0 = U32(k0 + U32(0x9E3779B9))
        k1 = U32(k1 + U32(0xBB67AE85))
    return c0, c1, c2, c3
