"""Explain a type, a table or a key of the spec, or a metric: what it does, bounds, defaults.

Examples:

  nnctl explain                 all topics
  nnctl explain layers          all layer types
  nnctl explain dense           one of them, with its keys
  nnctl explain training        a table of the spec
  nnctl explain dropout.rate    one key
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from nnctl.cli._options import Json
from nnctl.cli.output import Output


def command(
    topic: Annotated[str | None, typer.Argument(help="What to explain.", metavar="TOPIC")] = None,
    json: Json = False,
) -> None:
    from nnctl.spec import reference

    out = Output(json=json)
    if topic is None:
        kinds = reference.topics()
        lines = [f"{kind}: {', '.join(names)}" for kind, names in kinds.items()]
        out.text("\n".join([*lines, "", "nnctl explain TOPIC tells more of each"]))
        out.document({"topics": kinds})
    else:
        found = reference.find(topic)
        out.text("\n\n".join(map(reference.text, found)))
        out.document({"topic": topic, "entries": [asdict(entry) for entry in found]})
