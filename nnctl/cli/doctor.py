"""Show the environment: versions, CPU, threads, cache directory.

Everything that decides how fast nnctl runs here, and whether two machines are alike. Asks no
network and starts no training.
"""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.cli.output import Output


def command(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    from nnctl.cli._environment import environment

    out = Output(json=json)
    facts = environment()
    width = max(map(len, facts))
    out.text("\n".join(f"{name.ljust(width)}  {value}" for name, value in facts.items()))
    out.document(facts)
