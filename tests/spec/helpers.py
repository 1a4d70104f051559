"""A small legal spec to break, and what is said about it."""

from __future__ import annotations

from pathlib import Path

from nnctl.errors import SpecError
from nnctl.spec import Spec, load_spec

SPECS = Path(__file__).parents[2] / "specs"

PLAIN = """\
[data]
source = "digits"
[[layers]]
type = "flatten"
[[layers]]
type = "dense"
units = 32
[[layers]]
type = "dense"
units = 10
[loss]
type = "cross_entropy"
"""
"""Lines 1 to 12: data 1, layers 3, 5 and 8, loss 11."""


def shipped() -> list[Path]:
    """All specs that the project ships, parts left out."""
    return sorted(SPECS.glob("*.toml"))


def load(text: str = PLAIN, *flags: str) -> Spec:
    """Load a text as the file ``s.toml``."""
    return load_spec("s.toml", flags, text=text)


def said(text: str = PLAIN, *flags: str) -> str:
    """Everything that is said about a broken text; "" when it is legal."""
    try:
        load(text, *flags)
    except SpecError as error:
        return "\n".join(map(str, error.problems))
    return ""


def first_lines(text: str = PLAIN, *flags: str) -> list[str]:
    """The messages without their hints."""
    return [line for line in said(text, *flags).splitlines() if not line.startswith("  ")]
