"""Layers inside layers: tables of the spec that have no name and no wiring of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from pydantic_core import PydanticCustomError

from nnctl.spec.base import PREVIOUS, Finding, LayerModel, SpecModel
from nnctl.spec.registry import Tagged


class Inside(Tagged):
    """Annotation: a layer inside another; what only a whole layer may say is refused."""

    message: ClassVar[str]
    hint: ClassVar[str]

    def validate(self, value: Any) -> SpecModel:
        made = cast("LayerModel", super().validate(value))
        findings = list(self.refuse(made))
        if findings:
            raise PydanticCustomError("conflict", "conflict", {"findings": findings})
        return made

    def refuse(self, made: LayerModel) -> Iterator[Finding]:
        """Yield what the layer may not say here."""
        for key in ("name", "from_", "share"):
            if getattr(made, key) is not None:
                yield Finding((key.rstrip("_"),), self.message, self.hint)
        reads = made.arity[0]
        if reads > 1:
            message = f"{made.type} reads {reads} layers, and here each layer reads the one before"
            yield Finding(("type",), message, "use it as a layer of the network, with from")
        if any(PREVIOUS in part.reads for part in made.members()):
            message = f"{made.type} is fed its target, and here it is no output that has one"
            hint = "use it as a layer of the network"
            if made.closes_loop:
                hint = f"set teacher_forcing = false, or {hint}"
            yield Finding(("type",), message, hint)
