"""Evaluate a RUN or CHECKPOINT: loss, metrics, confusion, and gates that fail the build.

  nnctl eval                                    the newest run's best network, on its test part
  nnctl eval runs/digits_mlp-001 --per-class
  nnctl eval --gate 'accuracy>=0.95' --gate 'recall[7]>=0.9'
  nnctl eval runs/a/best --data march.csv --json
  nnctl eval runs/pets-001 --activations 17     for nnctl report: what its layers give for sample 17

The part is test, or else validation. A gate is NAME or NAME[CLASS], then >=, <=, > or <, then a
number; what is missing or NaN does not meet it. Gates of the spec are judged too. An unmet gate
ends in exit code 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._options import Beams, Json, LengthPenalty, MaxLength, Quiet
from nnctl.cli.output import Output
from nnctl.errors import ExitStatus, UsageError

if TYPE_CHECKING:
    from nnctl.run.assess import Assessment
    from nnctl.run.locate import Located


Gate = Annotated[
    list[str] | None,
    typer.Option("--gate", metavar="GATE", help="A condition, as 'accuracy>=0.95'. Repeatable."),
]
Activations = Annotated[
    list[int] | None,
    typer.Option(
        "--activations", metavar="SAMPLE", help="Keep the maps of this sample for the report."
    ),
]


def command(
    target: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run or a checkpoint; default: the newest run."),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Part: train, validation or test.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FILE", help="Evaluate on all samples of this file."),
    ] = None,
    per_class: Annotated[
        bool, typer.Option("--per-class", help="Show precision, recall and F1 of every class.")
    ] = False,
    gate: Gate = None,
    activations: Activations = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads; changes no figure.")
    ] = None,
    beams: Beams = 1,
    max_length: MaxLength = None,
    length_penalty: LengthPenalty = 0.0,
    json: Json = False,
    quiet: Quiet = False,
) -> ExitStatus:
    from nnctl.run.decoding import Manner
    from nnctl.run.evaluate import evaluate
    from nnctl.run.locate import locate
    from nnctl.spec.gates import parse_gates

    out, manner = Output(json=json, quiet=quiet), Manner(beams, max_length, length_penalty)
    parse_gates(gate or [])  # before anything is read
    sample, located = _only(activations or []), locate(target)
    if sample is not None:
        _require_run(located, data)
    path = located.checkpoint("best")
    found = evaluate(
        path,
        split=split,
        data=data,
        gates=gate or (),
        sample=sample,
        threads=threads,
        manner=manner,
    )
    document = found.document(str(path))
    out.text(as_text(found, str(path), per_class=per_class))
    if per_class and not found.per_class:
        out.note("--per-class has no effect: this network predicts numbers, and has no classes")
    out.document(document)
    if data is None:
        _keep(located, found, document, out)
    unmet = [verdict.problem() for verdict in found.verdicts if not verdict.passed]
    out.complain(unmet)
    return ExitStatus.GATE if unmet else ExitStatus.OK


def _only(samples: list[int]) -> int | None:
    """Return the sample whose maps are asked for. Raises UsageError if there are several."""
    if len(samples) > 1:
        given = " and ".join(map(str, samples))
        raise UsageError(
            f"--activations was given {len(samples)} times: {given}",
            "a report shows the maps of one sample: name one",
        )
    return samples[0] if samples else None


def _is_whole(located: Located) -> bool:
    """Whether a run is meant, and not one checkpoint of it."""
    return located.run is not None and located.file is None and not located.link


def _require_run(located: Located, data: str | None) -> None:
    """Raise UsageError where nothing is kept for a report."""
    if not _is_whole(located):
        raise UsageError("--activations is kept for the report of a run", "name a run directory")
    if data is not None:
        raise UsageError(
            "--activations and --data cannot hold together",
            "it shows a sample of the run's own data; --split chooses the part",
        )


def _keep(located: Located, found: Assessment, document: dict[str, Any], out: Output) -> None:
    """Leave the figures of a whole run where its report finds them."""
    if located.run is None or not _is_whole(located):
        return
    from nnctl.errors import NnctlError
    from nnctl.run.artifacts import write_activations, write_evaluation

    try:
        write_evaluation(located.run, document, found.pictures)
        if found.activations:
            write_activations(located.run, found.activations)
            out.note(f"activation maps kept for nnctl report {located.run.path}")
    except NnctlError as error:
        out.warn(f"warning: not kept for the report: {error.problems[0].message}")


def as_text(found: Assessment, checkpoint: str, *, per_class: bool) -> str:
    """Return the evaluation for people."""
    from nnctl.cli.table import table
    from nnctl.report.figures import figure

    parts = [f"{checkpoint}, {found.split}: {found.samples} samples"]
    rows = [[name, figure(value, 6)] for name, value in found.metrics.items()]
    parts.append(table(["metric", "value"], rows, " r"))
    if per_class and found.per_class:
        names = list(found.per_class[0])
        lines = [[figure(row[name]) for name in names] for row in found.per_class]
        parts.append(table(names, lines, "".join(_side(name) for name in names)))
    if found.verdicts:
        lines = [
            [verdict.gate, figure(verdict.value, 6), "met" if verdict.passed else "not met"]
            for verdict in found.verdicts
        ]
        parts.append(table(["gate", "value", "result"], lines, " r"))
    return "\n\n".join(parts)


def _side(column: str) -> str:
    return " " if column in ("class", "output") else "r"
