"""Sequences of independent random tokens, and at step t the token of step t - delay; -1 before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnctl.spec.generators.echo import Echo


def generate(model: Echo, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make tokens (N, steps), int64, and the class of each step (N, steps)."""
    tokens = random.integers(0, model.tokens, (model.samples, model.steps))
    labels = np.full_like(tokens, -1)
    labels[:, model.delay :] = tokens[:, : model.steps - model.delay]
    return tokens, labels
