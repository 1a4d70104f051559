"""Random symbols, to be said again: the target is the input, then the stop symbol, then -1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnctl.spec.generators.sequences import Copy, Reverse

FIRST = 2  # symbols of the target come after those for start and stop
_STOP = 1


def generate(model: Copy, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make symbols (N, length), what is to be said (N, length + 1), and lengths (N,), int64."""
    symbols, lengths = draw(model, random)
    return symbols, ended(symbols, lengths), lengths


def draw(model: Copy | Reverse, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw lengths evenly from shortest to longest, and symbols evenly; padding is 0."""
    shape, shortest = (model.samples, model.length), model.shortest or model.length
    choices = model.length - shortest + 1
    lengths = shortest + np.floor(random.random(model.samples) * choices).astype(np.int64)
    symbols = np.floor(random.random(shape) * model.alphabet).astype(np.int64)
    symbols[np.arange(model.length) >= lengths[:, None]] = 0
    return symbols, lengths


def ended(symbols: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return targets: symbols (N, T) as they are numbered there, a stop, and -1."""
    count, longest = symbols.shape
    targets = np.full((count, longest + 1), -1, np.int64)
    targets[:, :longest] = np.where(np.arange(longest) < lengths[:, None], symbols + FIRST, -1)
    targets[np.arange(count), lengths] = _STOP
    return targets
