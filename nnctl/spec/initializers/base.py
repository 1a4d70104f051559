"""What all initializers have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from nnctl.spec.base import SpecModel
from nnctl.spec.registry import Tagged


class InitializerModel(SpecModel):
    """How a parameter starts: a pure function of the seed and the parameter's name."""

    constant: ClassVar[bool] = False
    """Every number starts alike."""

    type: str


Initializer = Annotated[InitializerModel, Tagged("initializers", short=True)]
