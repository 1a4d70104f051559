"""The ``nnctl`` command: finds the commands, and is the one place where an error becomes an exit.

To add the command ``nnctl lr-find``, write ``nnctl/cli/lr_find.py``; nothing else is edited::

    '''Find a good learning rate for SPEC.          <- this line is its help in ``nnctl --help``

    More help, printed as it is written here by ``nnctl lr-find --help``.
    '''

    from pathlib import Path                        # light imports only: the standard library,
    from typing import Annotated                    # typer, nnctl.errors, nnctl.cli.output

    import typer

    from nnctl.cli.output import Output
    from nnctl.errors import ExitStatus

    def command(
        spec: Annotated[Path, typer.Argument(help="The spec.", metavar="SPEC")],
        json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    ) -> ExitStatus | None:
        from nnctl.run import session               # heavy imports inside the function

        out = Output(json=json)
        ...
        out.text("...")                             # the result, on stdout; nothing with --json
        out.document({"learning_rate": 0.01})       # the result, on stdout; nothing without --json
        out.note("...")                             # progress, on stderr; silent with --quiet
        return None                                 # or an ExitStatus; None is 0

A file that has ``group = typer.Typer()`` instead of ``command`` is a command with subcommands
(``@group.command("list")``; the subcommands' docstrings are their help). A file that has neither,
or whose name starts with an underscore, is no command. A command prints only through ``Output``,
catches nothing that it cannot mend, and raises ``NnctlError``; what follows from that is here.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from errno import ENOMEM
from typing import Annotated

import typer
from typer.exceptions import TyperException

from nnctl.cli._commands import LazyGroup
from nnctl.cli._usage import usage_error
from nnctl.cli.output import Output
from nnctl.errors import ExitStatus, NnctlError, Problem

# A plugin of pydantic would be other people's code between a spec and what it means; looking for
# them costs a tenth of the start, too. Must be set before pydantic is imported.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

WIDTH = 88  # of help, whatever the terminal: help is the same text everywhere

app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"terminal_width": WIDTH, "help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from nnctl import __version__

        Output().text(f"nnctl {__version__}")
        raise typer.Exit(0)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Print the traceback of an internal error.")
    ] = False,
) -> None:
    """Train, evaluate and check neural networks declared in TOML, on the CPU.

    Exit codes: 0 done, 1 internal error, 2 usage or spec, 3 data, 4 diverged, 5 a gate was not
    met, 6 checkpoint, 75 out of time (resumable), 130 and 143 stopped by a signal.
    """


def main() -> None:
    """Run the command line of this process and end it with the exit code."""
    gc.set_threshold(100_000)  # what is imported stays: to look for garbage in it costs 5 %
    Output.open()
    status = run(sys.argv[1:])
    try:
        Output.close()
    except NnctlError as error:
        status = status or Output().failure(error)
    sys.exit(status)


def run(argv: Sequence[str]) -> int:
    """Run one command line; every way to fail ends here, as text, JSON and an exit code."""
    own = argv[: argv.index("--")] if "--" in argv else argv
    out = Output(json="--json" in own)
    # Wherever it stands on the line: one adds it at the end, after the command has failed.
    wants_traceback = "--traceback" in own or os.environ.get("NNCTL_TRACEBACK") == "1"
    arguments = [*(a for a in own if a != "--traceback"), *argv[len(own) :]]
    try:
        result = typer.main.get_command(app).main(
            arguments, prog_name="nnctl", standalone_mode=False
        )
    except NnctlError as error:
        return out.failure(error)
    except TyperException as error:
        return out.failure(usage_error(error))
    except (KeyboardInterrupt, typer.Abort):
        return ExitStatus.SIGINT
    except Exception as error:
        if wants_traceback:
            from traceback import format_exception

            out.warn("".join(format_exception(error)))
        return out.failure(NnctlError(_unexpected(error)))
    return int(result or ExitStatus.OK)


def _unexpected(error: Exception) -> Problem:
    """Describe what no command expected: the machine's trouble, or else a bug of ours."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == ENOMEM:
        said = "" if isinstance(error, OSError) else str(error)
        return Problem(f"out of memory: {said}".rstrip(": "), "try a smaller batch_size")
    if isinstance(error, OSError) and error.strerror:
        return Problem(f"{error.filename or 'input or output'}: {error.strerror}")
    where = "--traceback shows where it happened"
    return Problem(f"internal error, please report: {type(error).__name__}: {error}", where)
