"""Attention in float64, written from the formulas.

q (N, T, D), k (N, J, D), v (N, J, E), w (D,); ``queries`` and ``keys`` (N,): steps that count.
"""

from __future__ import annotations

import numpy as np


def attend(q, k, v, w=None, queries=None, keys=None):
    """Weighted means of the values, by dot products or, with w, additive scores."""
    if w is None:
        scores = np.einsum("ntd,njd->ntj", q, k)
    else:
        scores = np.tanh(q[:, :, None] + k[:, None]) @ w
    if keys is not None:
        there = np.arange(k.shape[1]) < np.asarray(keys)[:, None]
        scores = np.where(there[:, None], scores, -np.inf)
    shares = np.exp(scores - scores.max(axis=2, keepdims=True))
    y = np.einsum("ntj,nje->nte", shares / shares.sum(axis=2, keepdims=True), v)
    if queries is not None:
        y = np.where((np.arange(q.shape[1]) < np.asarray(queries)[:, None])[:, :, None], y, 0)
    return y
