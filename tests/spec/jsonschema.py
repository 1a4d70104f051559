"""A small validator of JSON Schema: the keywords that the spec's schema uses, no more."""

from __future__ import annotations

import re
from typing import Any

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
    "number": (int, float),
}  # fmt: skip
ABOUT = {"title", "description", "default", "$schema", "$defs"}


def valid(value: Any, schema: Any, root: Any) -> bool:
    """Return whether a value is legal; an unknown keyword is an error of the test."""
    if isinstance(schema, bool):
        return schema
    for keyword, argument in schema.items():
        if keyword in ABOUT or keyword in ("then", "additionalProperties"):
            continue
        if not CHECKS[keyword](value, argument, schema, root):
            return False
    return _extra(value, schema, root)


def _extra(value: Any, schema: Any, root: Any) -> bool:
    rest = schema.get("additionalProperties", True)
    known = schema.get("properties", {})
    if not isinstance(value, dict):
        return True
    return all(valid(entry, rest, root) for key, entry in value.items() if key not in known)


def _type(value: Any, argument: Any, *_: Any) -> bool:
    kind = TYPES[argument]
    return isinstance(value, kind) and (isinstance(value, bool) == (argument == "boolean"))


def _ref(value: Any, argument: str, _: Any, root: Any) -> bool:
    return valid(value, root["$defs"][argument.removeprefix("#/$defs/")], root)


def _if(value: Any, argument: Any, schema: Any, root: Any) -> bool:
    return not valid(value, argument, root) or valid(value, schema["then"], root)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


CHECKS: Any = {
    "type": _type,
    "$ref": _ref,
    "if": _if,
    "const": lambda v, a, s, r: v == a,
    "enum": lambda v, a, s, r: v in a,
    "not": lambda v, a, s, r: not valid(v, a, r),
    "anyOf": lambda v, a, s, r: any(valid(v, each, r) for each in a),
    "oneOf": lambda v, a, s, r: sum(valid(v, each, r) for each in a) == 1,
    "required": lambda v, a, s, r: not isinstance(v, dict) or set(a) <= set(v),
    "properties": lambda v, a, s, r: (
        not isinstance(v, dict) or all(valid(v[k], a[k], r) for k in a if k in v)
    ),
    "propertyNames": lambda v, a, s, r: not isinstance(v, dict) or all(valid(k, a, r) for k in v),
    "items": lambda v, a, s, r: not isinstance(v, list) or all(valid(e, a, r) for e in v),
    "minItems": lambda v, a, s, r: not isinstance(v, list) or len(v) >= a,
    "maxItems": lambda v, a, s, r: not isinstance(v, list) or len(v) <= a,
    "minProperties": lambda v, a, s, r: not isinstance(v, dict) or len(v) >= a,
    "minLength": lambda v, a, s, r: not isinstance(v, str) or len(v) >= a,
    "maxLength": lambda v, a, s, r: not isinstance(v, str) or len(v) <= a,
    "pattern": lambda v, a, s, r: not isinstance(v, str) or re.search(a, v) is not None,
    "minimum": lambda v, a, s, r: not _number(v) or v >= a,
    "maximum": lambda v, a, s, r: not _number(v) or v <= a,
    "exclusiveMinimum": lambda v, a, s, r: not _number(v) or v > a,
    "exclusiveMaximum": lambda v, a, s, r: not _number(v) or v < a,
    "patternProperties": lambda v, a, s, r: (
        not isinstance(v, dict)
        or all(
            valid(entry, each, r)
            for pattern, each in a.items()
            for key, entry in v.items()
            if re.search(pattern, key)
        )
    ),
}
