"""Random symbols, to be said backwards: the target's first symbol is the input's last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.generators.copy import draw, ended

if TYPE_CHECKING:
    from nnctl.spec.generators.sequences import Reverse


def generate(
    model: Reverse, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make symbols (N, length), what is to be said (N, length + 1), and lengths (N,), int64."""
    symbols, lengths = draw(model, random)
    back = np.maximum(lengths[:, None] - 1 - np.arange(model.length), 0)
    return symbols, ended(np.take_along_axis(symbols, back, axis=1), lengths), lengths
