"""``[blocks.NAME]`` and the layer entry that puts it to use."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import NAME, Expect, Name, SpecModel, Words

Value = bool | int | float | str | list[bool | int | float | str]
PARAMETER = r"^[A-Za-z_][A-Za-z0-9_]*$"
Values = Annotated[
    dict[Annotated[str, Field(pattern=PARAMETER)], Value],
    Expect("a table of names and values"),
]


class Block(SpecModel):
    """A group of layers that is written once and used by layers of ``type = "block"``.

    A string "$units" stands for the parameter ``units``. Inside, ``from`` names layers of the
    block, or "input": what the block reads. The block's output is its last layer.
    """

    parameters: Values = Field({}, description="names and default values")
    layers: list[dict[str, Any]] = Field(min_length=1, description="the layers of the block")


class BlockUse(SpecModel):
    """A block from ``[blocks]``, put here ``repeat`` times, each reading the one before.

    Its layers are named BLOCK.i.NAME, with i from ``first``, where BLOCK is this entry's name, or
    the block's. ``from = "BLOCK"`` reads the last repetition of a named entry, "BLOCK.i" that one.
    """

    arity: ClassVar[tuple[int, int | None]] = (1, None)

    type: Literal["block"]
    block: Annotated[str, Field(pattern=NAME)] = Field(description="which of [blocks] to use")
    name: Name | None = Field(None, description="what others call it; default: the block's name")
    from_: Words | None = Field(
        None, alias="from", description="the layers it reads; default: the layer before"
    )
    repeat: int = Field(1, ge=1, le=10_000, description="how often it is put, one after another")
    first: int | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="number of the first; default: goes on after an earlier entry of the same "
        "name, or 1",
    )
    with_: Values = Field({}, alias="with", description="values for the block's parameters")
