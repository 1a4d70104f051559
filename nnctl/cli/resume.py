"""Go on with a run from where it stopped, to the same end as if it had never stopped.

  nnctl resume                       the newest run
  nnctl resume runs/digits-mlp-003
  nnctl resume RUN --at 12           back to the end of epoch 12, in a new run
  nnctl resume checkpoint.safetensors
  nnctl resume --set training.epochs=60

A run that is finished says so and ends as it had. The spec may change only in what decides the
end (epochs, max_steps, early stopping, ...), checkpoints, gates and threads; anything else ends
with 6 and the difference. An older checkpoint starts a new run that records its parent.
"""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.cli._options import Json, Quiet, Set
from nnctl.cli._training import Gates, MaxTime, RunDirOption, Threads, report, terms
from nnctl.cli.output import Output
from nnctl.errors import ExitStatus


def command(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN or CHECKPOINT]", help="Default: the newest run."),
    ] = None,
    at: Annotated[
        int | None,
        typer.Option("--at", metavar="EPOCH", min=0, help="Go back to the end of this epoch."),
    ] = None,
    set_: Set = None,
    run_dir: RunDirOption = None,
    threads: Threads = None,
    max_time: MaxTime = None,
    gate: Gates = None,
    json: Json = False,
    quiet: Quiet = False,
) -> ExitStatus:
    out = Output(json=json, quiet=quiet)
    with terms(out, threads, max_time, gate) as found:
        from nnctl.run import session

        outcome = session.resume(run, set_ or (), at=at, run_dir=run_dir, terms=found)
        return report(out, outcome)
