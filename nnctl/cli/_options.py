"""Options that several commands have, so that they are named and explained alike."""

from __future__ import annotations

from typing import Annotated

import typer

Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a value of the spec, typed as TOML: training.epochs=3. Repeatable.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]

Beams = Annotated[
    int,
    typer.Option(
        "--beams", min=1, max=1000, help="Sequences that a decoder looks for at once; 1: greedy."
    ),
]
MaxLength = Annotated[
    int | None,
    typer.Option("--max-length", min=1, help="Most steps that a decoder says, with the stop."),
]
LengthPenalty = Annotated[
    float,
    typer.Option(
        "--length-penalty",
        min=0.0,
        max=10.0,
        help="Beams: compare log probabilities over length to this power.",
    ),
]
