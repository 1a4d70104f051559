"""The embedding of tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal, Self

from pydantic import Field

from nnctl.spec.base import Finding, LayerModel, Parameter, Shape
from nnctl.spec.initializers.base import Initializer
from nnctl.spec.shapes import Reach, require_rank

from .kernel import Penalty
from .sharing import of_the_owner

MOST = 2**24  # single precision holds every whole number up to here


class Embedding(LayerModel):
    """y_t = W[x_t]: a trained row of numbers for each token, W is (vocabulary, units).

    It reads an input of the data: tokens (steps,), whole numbers from 0 to vocabulary - 1.
    """

    reads_tokens: ClassVar[bool] = True
    looks_up: ClassVar[bool] = True

    type: Literal["embedding"]
    units: int = Field(ge=1, le=1_000_000, description="numbers that stand for a token")
    vocabulary: int | None = Field(
        None, ge=1, le=MOST, description="number of tokens; default: as many as the data have"
    )
    init: Initializer | None = Field(None, description="start of W; default glorot_uniform")
    l1: Penalty | None = Field(
        None, description="L1 penalty of W; default that of [regularization]"
    )
    l2: Penalty | None = Field(
        None, description="L2 penalty of W; default that of [regularization]"
    )

    def with_tokens(self, counts: Sequence[int | None]) -> Self:
        known = counts[0] if self.vocabulary is None else None
        return self if known is None else self.model_copy(update={"vocabulary": known})

    def tokens(self) -> int | None:
        return self.vocabulary

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        hint = 'tokens are whole numbers, one a step: numbers go to "dense" or "conv1d" as they are'
        (steps,) = require_rank(inputs, (1,), "embedding", hint)
        return (steps, self.units)

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        shape = self.vocabulary or 1, self.units
        return {"w": Parameter(shape, self.init, "weight", 1, self.units)}

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def flops(self, inputs: Sequence[Shape]) -> int:
        return 0

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return ()  # a step reads its own token

    def conflicts(self) -> Iterable[Finding]:
        yield from of_the_owner(self, "init", "l1", "l2")
