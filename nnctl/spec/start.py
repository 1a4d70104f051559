"""``[init]``: training that starts from parameters of a file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import Expect, SpecModel, Words

Digest = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{64}$"),
    Expect("64 hexadecimal digits, as sha256sum prints them"),
]


class Start(SpecModel):
    """Start from trained parameters of a safetensors file instead of random ones.

    The file must hold all parameters and running statistics of the network, in name and shape, and
    no others, but for those of ``skip``: so a new head is put on a network that was trained on
    other classes. It is read when a run starts, never on resume.
    """

    from_: str = Field(
        alias="from", min_length=1, description="the file; its path is relative to the spec"
    )
    names: Literal["torch"] = Field(
        description="whose names and layouts the file has: LAYER.weight, LAYER.bias, "
        "LAYER.running_mean, LAYER.running_var as PyTorch's layers call and lay them out"
    )
    skip: Words | None = Field(
        None,
        description="layers that start as if there were no file, and tensors of the file that are "
        "not wanted; a name stands for all that begins with it and a dot",
    )
    sha256: Digest | None = Field(
        None,
        description="what the file must hash to; default: any. A run writes down what it was",
    )
