"""What all activations have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from nnctl.spec.base import LayerModel, Shape
from nnctl.spec.inside import Inside


class ActivationModel(LayerModel):
    """A function of each number on its own, unless its own text says otherwise."""

    elementwise: ClassVar[bool] = True

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True  # softmax too: over the last axis


class _Part(Inside):
    """An activation inside a layer is no layer."""

    message = "has no effect on an activation"
    hint = "set it on the layer"


Activation = Annotated[ActivationModel, _Part("activations", short=True)]
