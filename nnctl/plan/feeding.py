"""What is fed to layers that read their own outputs: the targets, a step later."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnctl.graph.graph import Fed

Arrays = dict[str, np.ndarray]


def fed(
    wanted: Mapping[str, Fed], targets: Mapping[str, np.ndarray] | None, count: int
) -> tuple[Arrays, Arrays]:
    """Return inputs (N, *shape) and lengths (N,) of all that is fed to a network.

    Without targets there is nothing to feed but the start.
    """
    inputs, lengths = {}, {}
    for name, one in wanted.items():
        target = None if targets is None else targets[one.target]
        inputs[name], lengths[name] = _later(one, target, count)
    return inputs, lengths


def _later(one: Fed, target: np.ndarray | None, count: int) -> tuple[np.ndarray, np.ndarray]:
    steps = one.shape[0]
    kind = np.int64 if one.tokens is not None else np.float64
    found = np.zeros((count, *one.shape), dtype=kind)
    if one.start is not None:
        found[:, 0] = one.start
    if target is None:
        return found, np.ones(count, dtype=np.int64)
    counts = target >= 0 if one.tokens is not None else ~np.isnan(target).any(axis=2)
    before = target[:, :-1]
    there = counts[:, :-1] if one.tokens is not None else counts[:, :-1, None]
    found[:, 1:] = np.where(there, before, 0)
    ends = steps - np.argmax(counts[:, ::-1], axis=1)
    return found, np.where(counts.any(axis=1), ends, 1).astype(np.int64)
