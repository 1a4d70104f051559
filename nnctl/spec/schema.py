"""The JSON Schema of spec files, for editors: the only place that builds the union of all types."""

from __future__ import annotations

from typing import Any

from . import registry
from .registry import FAMILIES
from .written import SpecFile

_PARAMETER = {"type": "string", "pattern": r"^\$", "description": "a parameter of the block"}
_NULL = {"type": "null"}

Parts = dict[str, Any]


def json_schema() -> dict[str, Any]:
    """Make the schema (draft 2020-12) of a whole spec file."""
    parts: Parts = {}
    schema = _of(SpecFile, parts)
    names = _types(parts)
    for family in FAMILIES:
        models = [registry.model(family, tag) for tag in registry.tags(family)]
        parts[family] = {"oneOf": [_ref(names[model]) for model in models]}
    _in_blocks(parts, names)
    required = schema.pop("required")
    # What a spec extends may hold any of them.
    schema |= {"if": {"not": {"required": ["extends"]}}, "then": {"required": required}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nnctl spec",
        **schema,
        "$defs": dict(sorted(parts.items())),
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _types(parts: Parts) -> dict[Any, str]:
    """Add the schema of every type to the parts; return what each model is called there."""
    names: dict[Any, str] = {}
    for family, about in FAMILIES.items():
        for tag in registry.tags(family):
            model = registry.model(family, tag)
            if model in names:
                continue
            names[model] = f"{family}.{tag}"
            schema = _of(model, parts)
            # The name of the type alone completes the rest in editors.
            schema["required"] = sorted({*schema.get("required", []), about.key})
            parts[names[model]] = schema
    return names


def _of(model: Any, parts: Parts) -> dict[str, Any]:
    """The schema of one model; the models inside it go to the parts."""
    schema: dict[str, Any] = _tidy(model.model_json_schema())
    for name, part in schema.pop("$defs", {}).items():
        parts.setdefault(name, part)
    return schema


def _tidy(value: Any, names: bool = False) -> Any:
    """Turn the marks of families into references; drop titles that repeat names, and null.

    ``names`` says that the keys are names of fields rather than words of JSON Schema.
    """
    if isinstance(value, list):
        return [_tidy(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if names:
        return {key: _tidy(entry) for key, entry in value.items()}
    tidy = {
        key: _tidy(entry, key in ("properties", "$defs"))
        for key, entry in value.items()
        if key not in ("title", "$family") and not (key == "default" and entry is None)
    }
    if "$family" in value:
        tidy |= _ref(value["$family"])
    branches = [branch for branch in tidy.get("anyOf", ()) if branch != _NULL]
    if len(branches) == 1:
        del tidy["anyOf"]
        return {**branches[0], **tidy}
    return {**tidy, "anyOf": branches} if branches else tidy


def _in_blocks(parts: Parts, names: dict[Any, str]) -> None:
    """Allow "$parameter" for every field of a layer in a block."""
    refs = []
    for tag in registry.tags("entries"):
        name = names[registry.model("entries", tag)]
        layer = parts[name]
        loose = {
            key: entry if key == "type" else {"anyOf": [_PARAMETER, entry]}
            for key, entry in layer["properties"].items()
        }
        parts[f"{name}.in_block"] = {**layer, "properties": loose}
        refs.append(_ref(f"{name}.in_block"))
    parts["Block"]["properties"]["layers"]["items"] = {"oneOf": refs}
