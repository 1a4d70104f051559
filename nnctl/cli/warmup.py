"""Compile the engine's code now, so that no later command has to.

  nnctl warmup                        what the common layers, losses and optimizers need
  nnctl warmup specs/digits_mlp.toml  what these specs need
  nnctl warmup --dtype float64        in double precision, which `verify` uses

Compiled code is kept in the cache directory (`nnctl doctor` names it; NNCTL_CACHE_DIR moves it):
keep that directory between the runs of a pipeline.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nnctl.cli._options import Json, Quiet, Set
from nnctl.cli.output import Output


def command(
    specs: Annotated[
        list[Path] | None, typer.Argument(help="Specs to compile for.", metavar="[SPEC...]")
    ] = None,
    set_: Set = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="float32 or float64; default: the spec's.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    from nnctl.cli._warmup import common, compile_spec
    from nnctl.engine import cache
    from nnctl.spec import load_spec

    out = Output(json=json, quiet=quiet)
    flags = [*(set_ or ()), *([f"training.dtype={dtype}"] if dtype else ())]
    networks = [load_spec(path, flags) for path in specs] if specs else common(flags)
    seconds = 0.0
    for number, spec in enumerate(networks, 1):
        out.status(f"compiling {number}/{len(networks)}: {spec.name}")
        seconds += compile_spec(spec)
    directory = str(cache.directory())
    out.text(f"compiled for {len(networks)} networks in {seconds:.1f} s, kept in {directory}")
    names = [spec.name for spec in networks]
    out.document({"networks": names, "compile_seconds": seconds, "cache": directory})
