"""Evaluate a RUN or CHECKPOINT: loss, metrics, confusion, and gates that fail the build.

  nnctl eval                                    the newest run's best network, on its test part
  nnctl eval runs/digits_mlp-001 --per-class
  nnctl eval --gate 'accuracy>=0.95' --gate 'recall[7]>=0.9'
  nnctl eval runs/a/best --data march.csv --json

The part is test, or else validation. A gate is NAME or NAME[CLASS], then >=, <=, > or <, then a
number; what is missing or NaN does not meet it. Gates of the spec are judged too. An unmet gate
ends in exit code 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._options import Json, Quiet
from nnctl.cli.output import Output
from nnctl.errors import ExitStatus

if TYPE_CHECKING:
    from nnctl.run.assess import Assessment
    from nnctl.run.locate import Located


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
    gate: Annotated[
        list[str] | None,
        typer.Option(
            "--gate", metavar="GATE", help="A condition, as 'accuracy>=0.95'. Repeatable."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads; changes no figure.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> ExitStatus:
    from nnctl.run.evaluate import evaluate
    from nnctl.run.locate import locate
    from nnctl.spec.gates import parse_gates

    out = Output(json=json, quiet=quiet)
    parse_gates(gate or [])  # before anything is read
    located = locate(target)
    path = located.checkpoint("best")
    found = evaluate(path, split=split, data=data, gates=gate or (), threads=threads)
    document = found.document(str(path))
    out.text(as_text(found, str(path), per_class=per_class))
    out.document(document)
    if data is None:
        _keep(located, document, out)
    unmet = [verdict.problem() for verdict in found.verdicts if not verdict.passed]
    out.complain(unmet)
    return ExitStatus.GATE if unmet else ExitStatus.OK


def _keep(located: Located, document: dict[str, Any], out: Output) -> None:
    """Leave the figures of a whole run where its report finds them."""
    if located.run is None or located.file is not None or located.link:
        return
    from nnctl.errors import NnctlError
    from nnctl.run.artifacts import write_evaluation

    try:
        write_evaluation(located.run, document)
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
