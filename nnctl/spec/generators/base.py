"""What all generators have in common."""

from __future__ import annotations

from pydantic import Field

from nnctl.spec.base import SpecModel
from nnctl.spec.info import TargetInfo
from nnctl.spec.shapes import Shape


class GeneratorModel(SpecModel):
    """Data made from a formula: ``source = { generate = "xor", samples = 1000 }``."""

    generate: str
    samples: int = Field(1000, ge=4, le=10_000_000, description="number of samples")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="start of the random numbers")

    def shape(self) -> Shape:
        """Shape of one input sample."""
        raise NotImplementedError

    def vocabulary(self) -> int | None:
        """Number of tokens, where the inputs are tokens."""
        return None

    def target(self) -> TargetInfo:
        """What is to be predicted."""
        raise NotImplementedError


def classes(names: list[str]) -> TargetInfo:
    """Describe a target of named classes."""
    return TargetInfo("class", len(names), tuple(names))
