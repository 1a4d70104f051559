"""Spec types by their tag, found by reading the folders' source text: nothing is listed by hand.

Only the module of a type that a spec names is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import PydanticCustomError, core_schema

if TYPE_CHECKING:
    from .base import SpecModel

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Family:
    """One concept with a choice of types: where they live, and the key that chooses."""

    noun: str
    folders: tuple[str, ...]
    key: str = "type"


FAMILIES = {
    "layers": Family("layer type", ("layers",)),
    "entries": Family("layer type", ("layers", "blocks")),
    "activations": Family("activation", ("layers/activations",)),
    "losses": Family("loss", ("losses",)),
    "optimizers": Family("optimizer", ("optimizers",)),
    "schedules": Family("schedule", ("schedules",)),
    "initializers": Family("initializer", ("initializers",)),
    "generators": Family("generator", ("generators",), "generate"),
}

_CLASS = re.compile(
    r'^class (?P<name>\w+)\(|^    (?:type|generate): Literal\["(?P<tag>\w+)"\]', re.MULTILINE
)


@cache
def homes(family: str) -> dict[str, tuple[str, str]]:
    """Map each tag of a family to (module, class), from the source text alone."""
    found: dict[str, tuple[str, str]] = {}
    for folder in FAMILIES[family].folders:
        for file in sorted((_HERE / folder).rglob("*.py")):
            parts = file.relative_to(_HERE).with_suffix("").parts
            module = ".".join(("nnctl.spec", *parts))
            name = ""
            for match in _CLASS.finditer(file.read_text(encoding="utf-8")):
                name = match["name"] or name
                if match["tag"]:
                    found[match["tag"]] = module, name
    return found


def tags(family: str) -> list[str]:
    """List the types of a family, sorted."""
    return sorted(homes(family))


@cache
def model(family: str, tag: str) -> type[SpecModel]:
    """Import the model of a type. Raises KeyError for an unknown tag."""
    module, name = homes(family)[tag]
    return cast("type[SpecModel]", getattr(import_module(module), name))


def is_single(value: Any, key: str = "type") -> bool:
    """Whether a table is one tagged table, rather than a table of them by name."""
    if not isinstance(value, dict):
        return False
    return key in value or not all(isinstance(entry, dict) for entry in value.values())


@dataclass(frozen=True)
class Tagged:
    """Annotation: a table dispatched by its tag, so that errors come from the one branch.

    With ``short``, a bare string stands for the table with that tag and all defaults.
    """

    family: str
    short: bool = False

    @property
    def key(self) -> str:
        """The key of the table that holds the tag."""
        return FAMILIES[self.family].key

    def choose(self, value: Any) -> type[SpecModel]:
        """Find the model that a raw value asks for. Raises PydanticCustomError."""
        if self.short and isinstance(value, str):
            value = {self.key: value}
        if not isinstance(value, dict):
            raise PydanticCustomError("not_expected", "not a table")
        tag = value.get(self.key)
        if not isinstance(tag, str) or tag not in homes(self.family):
            code = "unknown_tag" if self.key in value else "missing_tag"
            raise PydanticCustomError(code, code, {"family": self.family, "key": self.key})
        return model(self.family, tag)

    def validate(self, value: Any) -> SpecModel:
        """Make the model that the table's tag names."""
        from .base import SpecModel

        if isinstance(value, SpecModel):
            return value
        chosen = self.choose(value)
        return chosen.model_validate({self.key: value} if isinstance(value, str) else value)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(self.validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """Leave a mark; the union of all types is built by schema.py alone."""
        mark = {"$family": self.family}
        return {"anyOf": [{"enum": tags(self.family)}, mark]} if self.short else mark
