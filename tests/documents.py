"""Reads the fenced blocks of a Markdown page, and compares shown with real output."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
COMPILING = re.compile(r" and [\d.]+ s of compiling")
ANYTHING = "..."


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the page where it starts."""

    language: str
    text: str
    line: int


@dataclass
class Command:
    """A command of a console block, the exit code that is shown, and the lines of its output."""

    text: str
    status: int = 0
    shown: list[str] = field(default_factory=list)


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks that name a language, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 2)
        for found in FENCE.finditer(text)
    ]


def commands(text: str) -> list[Command]:
    """Return the commands of a console block; ``$ echo $?`` gives the exit code of the last."""
    found: list[Command] = []
    expects_status = False
    for line in text.splitlines():
        if line == "$ echo $?":
            expects_status = True
        elif line.startswith("$ "):
            found.append(Command(line[2:]))
        elif expects_status:
            found[-1].status = int(line)
            expects_status = False
        else:
            found[-1].shown.append(line)
    return found


def differences(shown: list[str], real: list[str]) -> list[str]:
    """Return the shown lines that the real output lacks, in order; "..." stands for any lines.

    Numbers, widths of columns and times of compiling may differ.
    """
    wanted, left = [_shape(line) for line in shown], [_shape(line) for line in real]
    at, free = 0, False
    for number, line in enumerate(wanted):
        if line == ANYTHING:
            free = True
            continue
        place = left.index(line, at) if line in left[at:] else -1
        if place < 0 or (place > at and not free):
            return [f"shown:  {shown[number]}", *(f"really: {line}" for line in real[at : at + 3])]
        at, free = place + 1, False
    return [] if free or at == len(left) else [f"not shown: {line}" for line in real[at:]]


def _shape(line: str) -> str:
    text = NUMBER.sub("#", COMPILING.sub("", line))
    return re.sub(r"-{2,}", "-", " ".join(text.split()))
