"""Predict with a CHECKPOINT for the samples of INPUT files: classes with probabilities, or numbers.

  nnctl predict runs/digits_mlp-001 new.csv > predictions.csv
  nnctl predict best new.npz --format jsonl
  nnctl predict latest test --layer dense_1 -o features.npz

INPUT is a file like the training data (a target in it is not read), an image or a folder of images,
or train, validation or test: a part of the training data (./test is a folder of that name). Samples
that are files have their names in a column. Inputs are normalized as they were in training.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nnctl.cli._options import Beams, Json, LengthPenalty, MaxLength, Quiet
from nnctl.cli.output import Output
from nnctl.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from nnctl.run.predictions import Predictions

Format = Literal["csv", "jsonl", "npz"]


def command(
    target: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A checkpoint or a run.")],
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Files, or parts of the data.")
    ],
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Default: by the file's name, else csv."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: stdout.")
    ] = None,
    layer: Annotated[
        str | None, typer.Option("--layer", metavar="NAME", help="The layer's features instead.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads; changes no figure.")
    ] = None,
    beams: Beams = 1,
    max_length: MaxLength = None,
    length_penalty: LengthPenalty = 0.0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    from nnctl.run.decoding import Manner
    from nnctl.run.locate import locate
    from nnctl.run.predicting import predict

    chosen = form or _by_name(output)
    if chosen == "npz" and output is None and not json:
        raise UsageError("an archive needs a file", "name one with -o, or choose csv or jsonl")
    path = locate(target).checkpoint("best")
    found = predict(
        path, inputs, layer=layer, threads=threads, manner=Manner(beams, max_length, length_penalty)
    )
    out = Output(json=json, quiet=quiet)
    if json:
        from nnctl.run.predictions import rows

        out.document({"checkpoint": str(path), "predictions": list(rows(found))})
    if output is not None:
        _write(output, _bytes(found, chosen))
        out.text(str(output))
    elif not json:
        from nnctl.run.predictions import TEXT

        for line in TEXT[chosen](found):
            out.text(line)


def _by_name(output: Path | None) -> Format:
    """Choose the form by the ending of the file's name."""
    endings: dict[str, Format] = {".npz": "npz", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    return endings.get(output.suffix.lower(), "csv") if output else "csv"


def _bytes(found: Predictions, form: Format) -> bytes:
    from nnctl.run.predictions import TEXT, as_npz

    if form == "npz":
        return as_npz(found)
    return "".join(f"{line}\n" for line in TEXT[form](found)).encode(errors="surrogateescape")


def _write(path: Path, content: bytes) -> None:
    from nnctl.files import write_atomic

    try:
        write_atomic(path, [content], durable=False)
    except CheckpointError as error:
        raise UsageError(error.problems[0].message, "name another file with -o") from error
