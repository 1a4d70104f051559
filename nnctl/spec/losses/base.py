"""What all losses have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnctl.spec.base import SpecModel
from nnctl.spec.registry import Tagged


class LossModel(SpecModel):
    """What is minimized: ``[loss]``, or ``[loss.OUTPUT]`` for each of several outputs."""

    link: ClassVar[Literal["softmax", "sigmoid", "identity"]] = "identity"
    """The function inside the loss that turns what it reads into probabilities, if any."""

    type: str
    weight: float = Field(1.0, gt=0, le=1e6, description="factor of this loss in the total")
    target: str | None = Field(
        None, min_length=1, description="the target it compares with; default: the only one"
    )


Loss = Annotated[LossModel, Tagged("losses")]
