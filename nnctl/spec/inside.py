"""Layers inside layers: tables of the spec that have no name and no wiring of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic_core import PydanticCustomError

from nnctl.spec.base import Finding, SpecModel
from nnctl.spec.registry import Tagged


class Inside(Tagged):
    """Annotation: a layer inside another; what only a whole layer may say is refused."""

    message: ClassVar[str]
    hint: ClassVar[str]

    def validate(self, value: Any) -> SpecModel:
        made = super().validate(value)
        findings = list(self.refuse(made))
        if findings:
            raise PydanticCustomError("conflict", "conflict", {"findings": findings})
        return made

    def refuse(self, made: SpecModel) -> Iterator[Finding]:
        """Yield what the layer may not say here."""
        for key in ("name", "from_", "share"):
            if getattr(made, key) is not None:
                yield Finding((key.rstrip("_"),), self.message, self.hint)
