"""Complaints of the argument parser, in our words: what was given, and what was expected."""

from __future__ import annotations

from typing import Any

from typer.exceptions import TyperException

from nnctl.errors import UsageError

# By the codes of pydantic, which typer converts arguments with, and never by its texts.
EXPECTED = {
    "int_parsing": "an integer",
    "int_from_float": "an integer",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
}


def usage_error(error: TyperException) -> UsageError:
    """Return the error, with where to find help."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        return UsageError("no command given", error.format_message())
    hint = f"see {context.command_path} --help" if context is not None else ""
    return UsageError(_wrong_value(error) or error.format_message(), hint)


def _wrong_value(error: TyperException) -> str | None:
    """Describe a value that could not be converted; None if that is not what is wrong."""
    found: Any = getattr(error.__cause__, "errors", None)
    parameter: Any = getattr(error, "param", None)
    if found is None or parameter is None:
        return None
    fault = found()[0]
    name = parameter.get_error_hint().strip("'")
    context = fault.get("ctx", {})
    if fault["type"] in EXPECTED:
        expected = EXPECTED[fault["type"]].format(**context)
        return f'{name}: expected {expected}, given "{fault["input"]}"'
    return f"{name}: {context.get('error', fault['msg'])}"
