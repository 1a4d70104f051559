"""Sequences of symbols or numbers: what they ask of a network is to remember."""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_lowercase
from typing import Literal

from pydantic import Field

from nnctl.spec.base import Finding
from nnctl.spec.info import TargetInfo
from nnctl.spec.shapes import Shape

from .base import GeneratorModel, sequence


class _Repeated(GeneratorModel):
    length: int = Field(10, ge=1, le=10_000, description="symbols of the longest sequence")
    shortest: int | None = Field(
        None, ge=1, le=10_000, description="symbols of the shortest sequence; default: length"
    )
    alphabet: int = Field(8, ge=2, le=26, description="symbols to choose from: a, b, c, ...")

    def conflicts(self) -> Iterable[Finding]:
        if self.shortest is not None and self.shortest > self.length:
            message = f"the shortest has {self.shortest} symbols, the longest {self.length}"
            yield Finding(("shortest",), message, "shortest is at most length")

    def shape(self) -> Shape:
        return (self.length,)

    def symbols(self) -> tuple[str, ...]:
        return tuple(ascii_lowercase[: self.alphabet])

    def target(self) -> TargetInfo:
        return sequence(self.symbols(), self.length)

    def varies(self) -> bool:
        return (self.shortest or self.length) < self.length


class Copy(_Repeated):
    """Random symbols; the target is the same sequence, and a stop symbol."""

    generate: Literal["copy"]


class Reverse(_Repeated):
    """Random symbols; the target is the sequence backwards, and a stop symbol."""

    generate: Literal["reverse"]


class Adding(GeneratorModel):
    """Pairs of a number from 0 to 1 and a mark; the target is the sum of the two marked numbers.

    One mark is in the first half, one in the second (the adding problem of Hochreiter & Schmidhuber
    1997, as in Le, Jaitly & Hinton 2015). Always saying 1 has an mse of 1/6.
    """

    generate: Literal["adding"]
    length: int = Field(50, ge=2, le=100_000, description="steps of a sequence")

    def shape(self) -> Shape:
        return (self.length, 2)

    def target(self) -> TargetInfo:
        return TargetInfo("number", 1)


class Ringdown(GeneratorModel):
    """The first steps of a damped oscillation; the target is how it goes on until its amplitude is
    below 0.1, a sequence of ``shortest`` to ``longest`` steps."""

    generate: Literal["ringdown"]
    length: int = Field(12, ge=2, le=10_000, description="steps that are seen")
    longest: int = Field(24, ge=1, le=10_000, description="steps of the longest target")
    shortest: int = Field(6, ge=1, le=10_000, description="steps of the shortest target")

    def conflicts(self) -> Iterable[Finding]:
        if self.shortest > self.longest:
            message = f"the shortest target has {self.shortest} steps, the longest {self.longest}"
            yield Finding(("shortest",), message, "shortest is at most longest")

    def shape(self) -> Shape:
        return (self.length, 1)

    def target(self) -> TargetInfo:
        return TargetInfo("number", 1, steps=self.longest)
