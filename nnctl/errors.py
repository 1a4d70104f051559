"""What can go wrong, and the exit code it ends in. Imports nothing of nnctl."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit codes, a contract with shell scripts."""

    OK = 0
    INTERNAL = 1  # a bug in nnctl
    USAGE = 2  # command line or spec
    DATA = 3
    DIVERGED = 4  # NaN or Inf
    GATE = 5  # a gate was not met
    CHECKPOINT = 6  # unusable or incompatible
    TIME_BUDGET = 75  # stopped by --max-time, resumable
    SIGINT = 130
    SIGTERM = 143


@dataclass(frozen=True)
class Problem:
    """One mistake: where it is, what was given and expected, and what to do about it.

    ``line`` and ``column`` count from 1; 0 means that there is none to name.
    """

    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        where = self.file
        if where and self.line:
            where += f":{self.line}:{self.column}"
        parts = [part for part in (where, self.path) if part]
        text = ": ".join([*parts, self.message])
        return text + "".join(f"\n  {line}" for line in self.hint.splitlines())


def once(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems as people read them: a hint that several files in a row share follows the
    last of them. Keys of a spec keep their own."""
    found = list(problems)
    pairs = zip(found, [*found[1:], Problem("")], strict=False)
    return [replace(one, hint="") if _share(one, following) else one for one, following in pairs]


def _share(one: Problem, following: Problem) -> bool:
    return one.hint == following.hint and bool(one.file) and not (one.path or following.path)


class NnctlError(Exception):
    """A mistake that a person can mend; carries every problem found, and an exit code."""

    status = ExitStatus.INTERNAL

    def __init__(self, problems: str | Problem | Iterable[Problem], hint: str = "") -> None:
        if isinstance(problems, str):
            problems = Problem(problems, hint)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, once(self.problems))))

    def at(self, **where: str | int) -> NnctlError:
        """Return the same error with the given fields (file, line, ...) set on every problem."""
        return type(self)(replace(p, **where) for p in self.problems)  # type: ignore[arg-type]


class UsageError(NnctlError):
    """The command line asks for what cannot be done."""

    status = ExitStatus.USAGE


class SpecError(NnctlError):
    """The spec says something that is not legal, or cannot take effect."""

    status = ExitStatus.USAGE


class DataError(NnctlError):
    """The data are missing, or are not what they claim to be."""

    status = ExitStatus.DATA


class DivergedError(NnctlError):
    """Training produced NaN or Inf."""

    status = ExitStatus.DIVERGED


class GateError(NnctlError):
    """A gate was not met."""

    status = ExitStatus.GATE


class CheckpointError(NnctlError):
    """A checkpoint cannot be used here."""

    status = ExitStatus.CHECKPOINT
