"""What all activations have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from nnctl.spec.base import LayerModel
from nnctl.spec.registry import Tagged


class ActivationModel(LayerModel):
    """A function of each number on its own, unless its own text says otherwise."""

    elementwise: ClassVar[bool] = True


Activation = Annotated[ActivationModel, Tagged("activations", short=True)]
