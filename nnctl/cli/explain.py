"""Explain a type or a table of the spec: what it does, its fields, bounds and defaults.

nnctl explain                 all topics
nnctl explain layers          all layer types
nnctl explain dense           one of them
nnctl explain training        a table of the spec
"""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.cli._options import Json
from nnctl.cli.output import Output
from nnctl.errors import UsageError


def command(
    topic: Annotated[str | None, typer.Argument(help="What to explain.", metavar="TOPIC")] = None,
    json: Json = False,
) -> None:
    from nnctl.cli import _topics as topics
    from nnctl.spec.suggest import hint

    out = Output(json=json)
    known = topics.find_all()
    if topic is None:
        out.text(topics.index(known))
        out.document({"topics": sorted(known)})
        return
    found = known.get(topic.strip("[]").replace("-", "_"))
    if found is None:
        raise UsageError(f'there is no topic "{topic}"', hint(topic, sorted(known), "topics"))
    out.text("\n\n".join(entry.text() for entry in found))
    out.document({"topic": topic, "entries": [entry.document() for entry in found]})
