"""Tokens to repeat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from nnctl.spec.base import Finding
from nnctl.spec.info import TargetInfo
from nnctl.spec.shapes import Shape

from .base import GeneratorModel


class Echo(GeneratorModel):
    """Sequences of random tokens; at every step the class is the token some steps before.

    The first steps, which have none before them, do not count. It shows how far back a network
    remembers.
    """

    generate: Literal["echo"]
    steps: int = Field(20, ge=2, le=100_000, description="tokens in a sequence")
    tokens: int = Field(8, ge=2, le=100_000, description="number of different tokens")
    delay: int = Field(3, ge=0, le=100_000, description="steps from a token to its repetition")

    def shape(self) -> Shape:
        return (self.steps,)

    def target(self) -> TargetInfo:
        names = tuple(map(str, range(self.tokens)))
        return TargetInfo("class", self.tokens, names, self.steps)

    def vocabulary(self) -> int:
        return self.tokens

    def conflicts(self) -> Iterable[Finding]:
        if self.delay >= self.steps:
            message = f"expected less than steps = {self.steps}, given {self.delay}"
            yield Finding(("delay",), message, "no step would count; take a longer sequence")
