"""What all activations have in common."""

from __future__ import annotations

from typing import Annotated, ClassVar

from nnctl.spec.base import LayerModel
from nnctl.spec.registry import Tagged


class ActivationModel(LayerModel):
    """A function of each number on its own, unless its own text says otherwise."""

    relu_family: ClassVar[bool] = False
    """He's start suits the layer before (He et al. 2015); Glorot's suits the others."""

    differentiable: ClassVar[bool] = True
    """False: it has no gradient to train by, unless ``straight_through`` is asked for."""


Activation = Annotated[ActivationModel, Tagged("activations", short=True)]
