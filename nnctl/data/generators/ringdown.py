"""Damped oscillations: their first steps, and how they go on until they have died away.

x(t) = a exp(-t / tau) sin(omega t + phi), with a ~ U(0.5, 1), omega ~ U(0.3, 1.2), phi ~ U(0, 2 pi)
and tau such that the amplitude passes 0.1 behind the last step of the target.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nnctl.spec.generators.sequences import Ringdown

DIED = 0.1  # amplitude at which an oscillation is over


def generate(model: Ringdown, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make first steps (N, length, 1), float32, and what follows (N, longest, 1), NaN behind it."""
    a, omega, phi, share = random.random((4, model.samples))
    a, omega, phi = 0.5 + 0.5 * a, 0.3 + 0.9 * omega, 2 * np.pi * phi
    follows = model.shortest + np.floor(share * (model.longest - model.shortest + 1))
    tau = (model.length + follows) / np.log(a / DIED)
    t = np.arange(model.length + model.longest)
    amplitude = a[:, None] * np.exp(-t / tau[:, None])
    whole = amplitude * np.sin(omega[:, None] * t + phi[:, None])
    whole[t >= model.length + follows[:, None]] = np.nan
    seen, after = whole[:, : model.length, None], whole[:, model.length :, None]
    return seen.astype(np.float32), after
