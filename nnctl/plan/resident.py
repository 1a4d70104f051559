"""What stays in the arena while tapes come and go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnctl.plan.buffers import Buffer


@dataclass(frozen=True)
class Scaling:
    """Constants of (x - mean) * scale, in the network's precision and in double."""

    mean: Buffer
    scale: Buffer
    mean64: Buffer
    scale64: Buffer


@dataclass(frozen=True)
class Resident:
    """What stays in the arena for all tapes: parameters, gradients, states, constants, words."""

    parameters: Mapping[str, Buffer]
    gradients: Mapping[str, Buffer]
    states: Mapping[str, Buffer]
    passing: Mapping[str, Buffer]  # states of samples, as evaluation carries them
    zeros: Buffer
    words: Buffer
    places: Mapping[str, int]  # of the words: "input.NAME", "target.NAME", "output.NAME", ...
    normalizers: Mapping[str, Scaling]  # by input name
    scalers: Mapping[str, Scaling]  # by target name
    class_weights: Mapping[str, Buffer]  # by output name
    source_types: Mapping[str, str]  # letter of the resident array, by input name
    loss_kinds: dict[str, str]  # of the loss's kernels, such as "class", by output name
    loss_steps: dict[str, int]  # of the targets over steps, by output name

    @property
    def moving(self) -> set[Buffer]:
        """What a step of training moves."""
        return {*self.parameters.values(), *self.states.values()}
