"""Measure how fast the network of SPEC trains on this machine, layer by layer.

  nnctl bench specs/digits_cnn.toml
  nnctl bench specs/digits_cnn.toml --threads 1 --set training.batch_size=128
  nnctl bench specs/digits_cnn.toml --seconds 10 --json > speed.json

The table is taken call by call on one thread; share is of their sum. Below it the step as training
takes it, many in a call, on one thread and on all; then inference. All are medians of at least
three measurements in turns. Nothing that is trained is kept: the parameters stay what they are at
the start. A FLOP is one addition or multiplication, as nnctl show counts them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnctl.cli._options import Json, Quiet, Set
from nnctl.cli.output import Output


def command(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The spec.")],
    set_: Set = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=1024, help="Threads; default: all.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.0, max=86400.0, help="How long to measure, about.")
    ] = 3.0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    from nnctl.cli import _bench
    from nnctl.run.bench import bench
    from nnctl.spec import load_spec

    out = Output(json=json, quiet=quiet)
    loaded = load_spec(spec, set_ or ())
    found = bench(loaded, threads, seconds, out.status)
    out.status("")
    out.text(_bench.as_text(loaded.name, found))
    out.document(_bench.as_document(loaded.name, found))
