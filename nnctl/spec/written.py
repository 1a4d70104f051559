"""A spec as it is written, before what it extends and its blocks are worked in.

Only mistakes, the schema and the reference ask for it: it says which keys are legal where.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import LayerModel
from .blocks.use import Block, BlockUse
from .registry import Tagged
from .root import LAYERS, RunName, Spec


class SpecFile(Spec):
    """A network, its data and its training, in one TOML file: everything a run is made from."""

    name: RunName = Field("", description="what runs are called; default: the file's name")
    extends: str | None = Field(
        None,
        min_length=1,
        description="another spec that this one starts from; its path is relative to this file",
    )
    blocks: dict[str, Block] = Field({}, description='layers written once, used by type = "block"')
    layers: Annotated[list[Annotated[LayerModel | BlockUse, Tagged("entries")]], LAYERS] = Field(  # type: ignore[assignment]
        min_length=1, description="the network, each layer reading the one before unless it says"
    )
