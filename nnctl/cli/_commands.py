"""Commands found by file name; a command's module is imported only when it is the one asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

HERE = Path(__file__).parent
IS_COMMAND = re.compile(r"^(def command\(|group = typer\.Typer\()", re.MULTILINE)
SUMMARY = re.compile(r'\A[ru]?"""(.+?)\s*(?:"""|$)', re.MULTILINE)


def summaries(folder: Path = HERE) -> dict[str, str]:
    """Return {command name: first line of its file's docstring}, read as text, in name order."""
    found = {}
    for path in sorted(folder.glob("[a-z]*.py")):
        text = path.read_text(encoding="utf-8")
        if IS_COMMAND.search(text):
            summary = SUMMARY.match(text)
            found[path.stem.replace("_", "-")] = summary[1] if summary else ""
    return found


def _write_help(self: Any, ctx: Any, formatter: Any) -> None:
    """Write a docstring as it is: with the lines of its examples and tables."""
    formatter.write_paragraph()
    for line in (self.help or "").splitlines():
        formatter.write(f"  {line}".rstrip() + "\n")


class CommandAsWritten(TyperCommand):
    """A command whose help is its docstring as it is written."""

    format_help_text = _write_help


class GroupAsWritten(TyperGroup):
    """The same for a command with subcommands."""

    format_help_text = _write_help


class Commands(MutableMapping[str, Any]):
    """The commands by name; looking one up imports its file."""

    def __init__(self) -> None:
        self.summaries = summaries()
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            if name not in self.summaries:
                raise KeyError(name)
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command
        self.summaries.setdefault(name, "")

    def __delitem__(self, name: str) -> None:
        del self.summaries[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self.summaries)

    def __len__(self) -> int:
        return len(self.summaries)


def _load(name: str) -> Any:
    module = import_module(f"nnctl.cli.{name.replace('-', '_')}")
    options: dict[str, Any] = {
        "rich_markup_mode": None,
        "pretty_exceptions_enable": False,
        "add_completion": False,
    }
    if hasattr(module, "group"):
        holder = typer.Typer(**options)
        holder.add_typer(module.group, name=name, help=module.__doc__, cls=GroupAsWritten)
        holder.callback()(lambda: None)
        return typer.main.get_group(holder).commands[name]
    holder = typer.Typer(**options)
    holder.command(name, help=module.__doc__, cls=CommandAsWritten)(module.command)
    return typer.main.get_command(holder)


class LazyGroup(TyperGroup):
    """The ``nnctl`` command, whose help imports no command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "commands": {}, "no_args_is_help": True})
        self.commands = Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands = self.commands
        if isinstance(commands, Commands):
            with formatter.section("Commands"):
                formatter.write_dl(list(commands.summaries.items()))
