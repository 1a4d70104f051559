"""Collects what is wrong with a spec, so that everything is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.errors import Problem, SpecError

if TYPE_CHECKING:
    from nnctl.spec import Spec


class Report:
    """Problems of one spec, each at its place in the file."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.problems: list[Problem] = []

    def add(self, path: tuple[str | int, ...], message: str, hint: str = "") -> None:
        """Note a problem at a path of the spec such as ``("layers", 3, "units")``."""
        self.problems.append(self.spec.problem(path, message, hint))

    def line(self, path: tuple[str | int, ...]) -> int:
        """Return the line of a path, for hints; 0 if it stands in no file."""
        return self.spec.problem(path, "").line

    def raise_if_any(self) -> None:
        """Raise SpecError with all problems in the order of the file, if there are any."""
        if self.problems:
            unique = dict.fromkeys(self.problems)
            raise SpecError(sorted(unique, key=lambda p: (p.line, p.column)))
