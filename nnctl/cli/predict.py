"""Predict with a CHECKPOINT for the samples of INPUT files: classes with probabilities, or numbers.

  nnctl predict runs/digits_mlp-001 new.csv > predictions.csv
  nnctl predict best new.npz --format jsonl
  nnctl predict latest test --layer dense_1 -o features.npz
  nnctl predict best dates.tsv --beams 5                       sequences to sequences
  nnctl predict best --prompt "Alice was" --temperature 0.7    a text goes on
  nnctl predict best sunspots.csv --ahead 11                   a series, each step from the last

INPUT is a file like the training data (a target in it is not read), an image or a folder of images,
or train, validation or test: a part of the training data (./test is a folder of that name). Samples
that are files have their names in a column. Inputs are normalized as they were in training.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nnctl.cli._options import Beams, Json, LengthPenalty, MaxLength, Quiet
from nnctl.cli._saying import (
    Ahead,
    Length,
    PromptFile,
    Prompts,
    Seed,
    Temperature,
    TopK,
    given,
    refuse_idle,
    sampling,
)
from nnctl.cli.output import Output, encoded
from nnctl.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from nnctl.data.tokens import Prompt
    from nnctl.run.predictions import Predictions

Format = Literal["csv", "jsonl", "npz"]
Inputs = Annotated[
    list[str] | None, typer.Argument(metavar="INPUT...", help="Files, or parts of the data.")
]
Form = Annotated[
    Format | None, typer.Option("--format", help="Default: by the file's name, else csv.")
]
File = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write; default: stdout.")
]
Layer = Annotated[
    str | None, typer.Option("--layer", metavar="NAME", help="The layer's features instead.")
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="Threads; changes no figure.")
]


def command(
    target: Annotated[str, typer.Argument(metavar="CHECKPOINT", help="A checkpoint or a run.")],
    inputs: Inputs = None,
    form: Form = None,
    output: File = None,
    layer: Layer = None,
    beams: Beams = 1,
    max_length: MaxLength = None,
    length_penalty: LengthPenalty = 0.0,
    prompt: Prompts = None,
    prompt_file: PromptFile = None,
    length: Length = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    seed: Seed = None,
    ahead: Ahead = None,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    from nnctl.run.locate import locate

    options = sampling(length, temperature, top_k, seed)
    prompts, sources, out = given(prompt, prompt_file), inputs or [], Output(json=json, quiet=quiet)
    others: dict[str, Any] = {"--layer": layer, "--format": form, "--ahead": ahead}
    others |= {"--beams": beams > 1, "--max-length": max_length, "--length-penalty": length_penalty}
    refuse_idle(options, sources, prompts, [name for name, said in others.items() if said])
    path = locate(target).checkpoint("best")
    if prompts:
        return _generate(path, prompts, options, threads, output, out)
    if ahead is not None:
        return _carry_on(path, sources, ahead, threads, output, form or _by_name(output), out)
    from nnctl.run.decoding import Manner
    from nnctl.run.predicting import predict

    chosen = form or _by_name(output)
    if chosen == "npz" and output is None and not json:
        raise UsageError("an archive needs a file", "name one with -o, or choose csv or jsonl")
    manner = Manner(beams, max_length, length_penalty)
    found = predict(path, sources, layer=layer, threads=threads, manner=manner)
    _hand_out(found, path, output, chosen, out)
    return None


def _hand_out(
    found: Predictions, path: Path, output: Path | None, form: Format, out: Output
) -> None:
    from nnctl.run.predictions import TEXT, as_npz, rows

    if out.json:
        out.document({"checkpoint": str(path), "predictions": list(rows(found))})
    if form == "npz" and output is not None:
        _write(output, as_npz(found))
        out.text(str(output))
    elif form != "npz":
        _tell(TEXT[form](found), output, out)


def _tell(lines: Iterable[str], output: Path | None, out: Output) -> None:
    """Write lines to the file that is asked for, or to stdout, unless a document is the result."""
    if output is not None:
        text = "".join(f"{line}\n" for line in lines)
        _write(output, encoded(text))
        out.text(str(output))
    elif not out.json:
        for line in lines:
            out.text(line)


def _generate(
    path: Path,
    prompts: list[Prompt],
    options: dict[str, Any],
    threads: int | None,
    output: Path | None,
    out: Output,
) -> None:
    """Go on from prompts: the text of each on stdout, or in a file."""
    from nnctl.run.generate import Sampling, generate

    found = generate(path, prompts, Sampling(**options), threads)
    texts = [{"prompt": one.prompt, "text": one.text} for one in found]
    out.document({"checkpoint": str(path), "generated": texts})
    _tell((one.prompt + one.text for one in found), output, out)


def _carry_on(
    path: Path,
    sources: list[str],
    steps: int,
    threads: int | None,
    output: Path | None,
    form: Format,
    out: Output,
) -> None:
    """Carry a series on: a row for each step behind its end."""
    from nnctl.run.forecast import carry_on
    from nnctl.run.predictions import table_lines

    if len(sources) > 1 or form == "npz":
        message = "--ahead carries on one series, as CSV or JSON lines"
        raise UsageError(message, "give one INPUT, and --format csv or jsonl")
    found = list(carry_on(path, sources[0], steps, threads).rows())
    out.document({"checkpoint": str(path), "forecasts": found})
    _tell(table_lines(found, form), output, out)


def _by_name(output: Path | None) -> Format:
    """Choose the form by the ending of the file's name."""
    endings: dict[str, Format] = {".npz": "npz", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    return endings.get(output.suffix.lower(), "csv") if output else "csv"


def _write(path: Path, content: bytes) -> None:
    from nnctl.files import write_atomic

    try:
        write_atomic(path, [content], durable=False)
    except CheckpointError as error:
        raise UsageError(error.problems[0].message, "name another file with -o") from error
