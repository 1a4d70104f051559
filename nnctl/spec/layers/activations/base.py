"""What all activations have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic_core import PydanticCustomError

from nnctl.spec.base import Finding, LayerModel, Shape, SpecModel
from nnctl.spec.registry import Tagged


class ActivationModel(LayerModel):
    """A function of each number on its own, unless its own text says otherwise."""

    elementwise: ClassVar[bool] = True

    def stepwise(self, inputs: Sequence[Shape]) -> bool:
        return True  # softmax too: over the last axis


class _Part(Tagged):
    """An activation inside a layer is no layer: it has no name and no wiring of its own."""

    def validate(self, value: Any) -> SpecModel:
        made = super().validate(value)
        findings = [
            Finding((key.rstrip("_"),), "has no effect on an activation", "set it on the layer")
            for key in ("name", "from_", "share")
            if getattr(made, key) is not None
        ]
        if findings:
            raise PydanticCustomError("conflict", "conflict", {"findings": findings})
        return made


Activation = Annotated[ActivationModel, _Part("activations", short=True)]
