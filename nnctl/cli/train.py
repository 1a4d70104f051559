"""Train the network of SPEC; results go to a new run directory.

  nnctl train specs/digits_mlp.toml
  nnctl train my.toml --set optimizer.learning_rate=0.01 --set training.epochs=5
  nnctl train my.toml --gate 'accuracy>=0.95' --json > result.json
  until nnctl train my.toml --resume auto --max-time 50m; do [ $? -eq 75 ] || exit 1; done

Progress goes to stderr, the result to stdout. Ctrl-C or SIGTERM finishes the step, writes a
checkpoint and ends with 130 or 143; `nnctl resume` then goes on to the same end, bit for bit.

Ends with 0 if done, 4 if it diverged, 5 if a gate was not met, 75 if its time was up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from nnctl.cli._options import Json, Quiet, Set
from nnctl.cli._training import Gates, MaxTime, RunDirOption, Threads, report, terms
from nnctl.cli.output import Output
from nnctl.errors import ExitStatus


def command(
    spec: Annotated[Path, typer.Argument(help="The spec.", metavar="SPEC")],
    set_: Set = None,
    run_dir: RunDirOption = None,
    resume: Annotated[
        Literal["auto"] | None,
        typer.Option("--resume", help="Go on with the unfinished run of this spec, if any."),
    ] = None,
    threads: Threads = None,
    max_time: MaxTime = None,
    gate: Gates = None,
    json: Json = False,
    quiet: Quiet = False,
) -> ExitStatus:
    out = Output(json=json, quiet=quiet)
    with terms(out, threads, max_time, gate) as found:
        from nnctl.run import session

        outcome = session.train(
            spec, set_ or (), run_dir=run_dir, resume_auto=resume == "auto", terms=found
        )
        return report(out, outcome)
