"""Attention: for every step of one sequence a weighted mean of the steps of another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import (
    Finding,
    LayerModel,
    Parameter,
    Part,
    Shape,
    ShapeError,
    SpecModel,
    made,
)
from nnctl.spec.shapes import Reach, format_shape

from .dense import Dense


class Scored(SpecModel):
    """How well a query and a key fit."""

    score: Literal["dot", "additive"] = Field(
        "dot",
        description="dot: the product of query and key; additive: w tanh(query + key), w trained",
    )
    units: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="numbers that queries and keys are turned into first, by trained weights; "
        "default of dot: as they are",
    )

    def conflicts(self) -> Iterable[Finding]:
        if self.score == "additive" and self.units is None:
            yield Finding((), "additive scores need units", "set units, 64 say")


class Attention(Scored, LayerModel):
    """y_t = sum_j a_tj v_j with a_t = softmax_j score(q_t, v_j): from = [queries, values], both
    sequences, (T, D) and (J, E), to (T, E).

    Scores are dot products (Luong, Pham & Manning 2015) or additive (Bahdanau, Cho & Bengio 2015).
    Steps beyond the end of the values' sequence have no weight; the output has the queries'
    lengths.
    """

    arity: ClassVar[tuple[int, int | None]] = (2, 2)

    type: Literal["attention"]

    def parts(self) -> tuple[Part, ...]:
        core = made(Attend, "attend", score=self.score)
        if self.units is None:
            return (Part("", core, ("@0", "@1", "@1")),)
        query = made(Dense, "dense", units=self.units, bias=False)
        key = made(Dense, "dense", units=self.units, bias=self.score == "additive")
        return (
            Part("query", query, ("@0",)),
            Part("key", key, ("@1",)),
            Part("", core, ("query", "key", "@1")),
        )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        queries, values = inputs
        if len(queries) != 2 or len(values) != 2:
            given = f"{format_shape(queries)} and {format_shape(values)}"
            raise ShapeError(
                f"attention expects two sequences (steps, channels), given {given}",
                'recurrent layers give one with returns = "sequence"',
            )
        if self.units is None and queries[1] != values[1]:
            raise ShapeError(
                f"dot products need equal numbers, given {format_shape(queries)} and "
                f"{format_shape(values)}",
                f"set units, {min(queries[1], values[1])} say: both are turned into so many",
            )
        return (queries[0], values[1])

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return None


class Attend(LayerModel):
    """What attention is made of: from = [queries, keys, values], sequences (T, D), (J, D), (J, E).

    Additive scores have trained weights w (D).
    """

    arity: ClassVar[tuple[int, int | None]] = (3, 3)
    own_lengths: ClassVar[bool] = True

    type: Literal["attend"]
    score: Literal["dot", "additive"] = Field("dot", description="how well query and key fit")

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        queries, keys, values = inputs
        fits = all(len(shape) == 2 for shape in inputs)
        if not fits or queries[1] != keys[1] or keys[0] != values[0]:
            given = ", ".join(map(format_shape, inputs))
            raise ShapeError(
                f"attend expects queries (T, D), keys (J, D) and values (J, E), given {given}",
                'a layer of type = "attention" with units makes queries and keys that fit',
            )
        return (queries[0], values[1])

    def parameters(self, inputs: Sequence[Shape]) -> dict[str, Parameter]:
        if self.score == "dot":
            return {}
        depth = inputs[0][1]
        return {"w": Parameter((depth,), "glorot_uniform", "weight", depth, 1)}

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True

    def flops(self, inputs: Sequence[Shape]) -> int:
        (queries, depth), (keys, _), (_, width) = inputs
        return queries * keys * (2 * depth + 2 * width + 3)

    def reach(self, inputs: Sequence[Shape]) -> tuple[Reach, ...] | None:
        return None

    def reaches(self, inputs: Sequence[Shape]) -> tuple[tuple[Reach, ...] | None, ...]:
        return ((), None, None)  # each query is asked by itself
