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
        symbols = self.symbols()
        return None if symbols is None else len(symbols)

    def target(self) -> TargetInfo:
        """What is to be predicted."""
        raise NotImplementedError

    def symbols(self) -> tuple[str, ...] | None:
        """The tokens that inputs are made of, by index; None where they have no names."""
        return None

    def varies(self) -> bool:
        """Whether inputs are sequences of different lengths."""
        return False


def sequence(symbols: tuple[str, ...], longest: int) -> TargetInfo:
    """Describe a target that is a sequence of symbols, which ends in a stop symbol."""
    names = ("<start>", "<stop>", *symbols)
    return TargetInfo("class", len(names), names, steps=longest + 1)


def classes(names: list[str]) -> TargetInfo:
    """Describe a target of named classes."""
    return TargetInfo("class", len(names), tuple(names))
