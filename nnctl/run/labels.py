"""Hold targets that are rows of shares against what their loss can make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnctl.data import Part
from nnctl.errors import DataError
from nnctl.run.heads import Head

TOLERANCE = 0.015
"""How far a row of shares may be from 1: the error of rounding to two decimals."""


def check_labels(heads: Sequence[Head], parts: Mapping[str, Part]) -> None:
    """Refuse shares outside of [0, 1], and rows that share out more or less than one sample.

    Raises DataError.
    """
    for head in heads:
        if head.link == "identity" or head.info.kind == "class":
            continue
        what = f'target "{head.target}"' if head.target else "the target"
        for name, part in parts.items():
            rows = part.targets[head.target]
            samples = np.arange(part.samples)
            if head.info.steps is not None:
                rows = rows.reshape(-1, head.info.width)
                there = np.flatnonzero(~np.isnan(rows).any(axis=1))
                rows, samples = rows[there], there // head.info.steps
            rows = rows.reshape(len(rows), -1)
            where = f"{what}: sample {{}} of the {name} part"
            low, high = rows.min(axis=1), rows.max(axis=1)
            odd = np.flatnonzero((low < 0) | (high > 1))
            if len(odd):
                value = low[odd[0]] if low[odd[0]] < 0 else high[odd[0]]
                said = where.format(part.index[samples[odd[0]]])
                message = f"{said} holds {value:g}, expected shares from 0 to 1"
                raise DataError(message, "correct the file, or use a loss for numbers, e.g. mse")
            sums = rows.sum(axis=1)
            odd = np.flatnonzero(abs(sums - 1) > TOLERANCE)
            if head.link == "softmax" and len(odd):
                said = where.format(part.index[samples[odd[0]]])
                message = f"{said} has shares that sum to {sums[odd[0]]:g}, expected 1"
                hint = 'divide rows by their sums, or use "binary_cross_entropy" for several labels'
                raise DataError(message, hint)
