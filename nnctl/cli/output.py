"""The only file that prints: the result on stdout, progress and complaints on stderr.

A reader that goes away (``nnctl show ... | head``) never ends a command: what is left to write is
dropped, so that a gate that fails still fails.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from io import TextIOWrapper
from typing import Any, TextIO

from nnctl.errors import NnctlError, Problem, once

SCHEMA_VERSION = 1
RED, YELLOW, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"


class Output:
    """Where one command writes. ``json``: the result is one document; ``quiet``: no progress."""

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        self.json = json
        self.quiet = quiet

    @property
    def live(self) -> bool:
        """True if stderr is a terminal on which a line can be rewritten, and wanted."""
        dumb = os.environ.get("TERM", "") in ("", "dumb")
        return not self.quiet and not dumb and _is_terminal(sys.stderr)

    def text(self, text: str) -> None:
        """Print the result as text, unless a JSON document is asked for."""
        if not self.json:
            _write(sys.stdout, text)

    def document(self, fields: Mapping[str, Any]) -> None:
        """Print the result as the one JSON document, if that is asked for.

        ASCII, so that the locale changes no byte; NaN and Inf, which JSON lacks, become null.
        """
        if self.json:
            whole = {"schema_version": SCHEMA_VERSION, **fields}
            _write(sys.stdout, json.dumps(_finite(whole), indent=2, allow_nan=False))

    def verbatim(self, document: Mapping[str, Any]) -> None:
        """Print a JSON document that has a form of its own, such as a JSON Schema."""
        _write(sys.stdout, json.dumps(document, indent=2))

    def note(self, text: str) -> None:
        """Print a line of progress, unless quiet."""
        if not self.quiet:
            self._clear()
            _write(sys.stderr, text)

    def warn(self, text: str) -> None:
        """Print a warning, quiet or not."""
        self._clear()
        _write(sys.stderr, _paint(text, "warning:", YELLOW))

    def status(self, text: str) -> None:
        """Show a line that the next one replaces; nothing where stderr is no terminal."""
        if self.live:
            width = _terminal_width()
            _write(sys.stderr, f"\r\x1b[K{text[: width - 1]}", end="")

    def failure(self, error: NnctlError) -> int:
        """Report an error on stderr, and on stdout as JSON if asked for; return the exit code."""
        self.complain(error.problems)
        self.document({"errors": problems(error.problems), "exit_code": int(error.status)})
        return int(error.status)

    def complain(self, items: Iterable[Problem]) -> None:
        """Print problems on stderr, each at its place, quiet or not; a remedy of several once."""
        self._clear()
        for problem in once(items):
            _write(sys.stderr, _paint(complaint(problem), "error:", RED))

    def _clear(self) -> None:
        if self.live:
            _write(sys.stderr, "\r\x1b[K", end="")

    @staticmethod
    def open() -> None:
        """Set up both streams, first of all: a result that goes to a file or a pipe is UTF-8 in
        every locale, and what a terminal cannot show is shown as an escape and ends nothing."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
                if stream is sys.stdout and not _is_terminal(stream):
                    # File names that are not UTF-8 come out as the bytes that they are.
                    stream.reconfigure(encoding="utf-8", errors="surrogateescape")

    @staticmethod
    def close() -> None:
        """Flush both streams; to be called last, because Python would complain at exit."""
        for stream in (sys.stdout, sys.stderr):
            _write(stream, "", end="")


def complaint(problem: Problem) -> str:
    """Return ``file:line:col: path: message`` or, where there is no file, ``error: message``."""
    return str(problem) if problem.file else f"error: {problem}"


def problems(items: Iterable[Problem]) -> list[dict[str, Any]]:
    """Return problems as they stand in JSON documents."""
    names = ("file", "line", "column", "path", "message", "hint")
    return [{name: getattr(item, name) for name in names} for item in items]


def encoded(text: str) -> bytes:
    """Return what a file is to hold: UTF-8, and the bytes of file names that are none."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError as error:
        raise unwritable(error) from None


def unwritable(error: UnicodeEncodeError) -> NnctlError:
    """Make the error for half a character, which a text cannot hold."""
    half = f"U+{ord(error.object[error.start]):04X}"
    message = f"cannot write the result as text: it holds {half}, half of a character"
    return NnctlError(message, "JSON holds it: add --json, or --format jsonl")


def _write(stream: TextIO | None, text: str, end: str = "\n") -> None:
    if stream is None:  # closed by whoever started us, as with >&-
        return
    try:
        stream.write(text + end)
        stream.flush()
    except BrokenPipeError:
        # The descriptor itself is pointed away, so that the flush at exit has nothing to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except UnicodeEncodeError as error:
        raise unwritable(error) from None
    except ValueError:  # closed by whoever started us
        pass
    except OSError as error:
        if stream is sys.stdout:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            reason = f"cannot write to standard output: {error.strerror}"
            raise NnctlError(reason, "is the disk full?") from error


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def _paint(text: str, word: str, color: str) -> str:
    if os.environ.get("NO_COLOR") or not _is_terminal(sys.stderr):
        return text
    return text.replace(word, f"{color}{word}{PLAIN}", 1)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
