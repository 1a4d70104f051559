"""Check the gradients of a SPEC's network against central differences, in float64.

  nnctl verify specs/digits_mlp.toml
  nnctl verify specs/xor_mlp.toml --trace 0     one step by hand: signals, deltas, gradients

Every element of a parameter of up to 256 elements is checked, else a fixed random sample of 256
(fewer in a network of many parameters: 1024 in all, at least 8 of each), on the first 8 training
samples: (E(w + h) - E(w - h)) / 2h with h = 1e-5 max(1, |w|), where E is loss plus penalty. They
agree if they differ by at most 1e-5 of the larger one. An element that disagrees is measured again
at h / 16 and h / 256: near a corner (relu at 0) the difference moves to the gradient, on one the
gradient must lie between the slopes of both sides. Both count as kinks. Parameters below a
straight-through estimator are left out.
A gradient that disagrees is a bug of nnctl: exit code 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._options import Json, Quiet, Set
from nnctl.cli.output import Output
from nnctl.errors import ExitStatus, Problem

if TYPE_CHECKING:
    from nnctl.run.differences import Checked


def command(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", help="The spec.")],
    set_: Set = None,
    trace: Annotated[
        int | None,
        typer.Option("--trace", metavar="SAMPLE", help="Show one step on this training sample."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Threads; changes no figure.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> ExitStatus:
    from nnctl.run.verify import inspected
    from nnctl.spec import load_spec

    out = Output(json=json, quiet=quiet)
    network = inspected(load_spec(spec, set_ or ()), threads)
    try:
        if trace is not None:
            from nnctl.cli import _trace

            found = network.trace(trace)
            out.text(_trace.as_text(found))
            out.document(_trace.as_document(found))
            return ExitStatus.OK
        checked = []
        for finding in network.gradients():
            out.status(f"{finding.parameter}: {finding.elements} elements")
            checked.append(finding)
    finally:
        network.plan.close()
    return _tell(checked, out)


def _tell(checked: list[Checked], out: Output) -> ExitStatus:
    wrong = [found for found in checked if not found.passed]
    out.text(as_text(checked))
    out.document({"passed": not wrong, "parameters": [_row(found) for found in checked]})
    out.complain([_problem(found) for found in wrong])
    return ExitStatus.INTERNAL if wrong else ExitStatus.OK


def as_text(checked: list[Checked]) -> str:
    """Return a line a parameter, and what it comes to."""
    from nnctl.cli.table import table
    from nnctl.run.differences import TOLERANCE
    from nnctl.spec.shapes import format_shape

    header = ["parameter", "shape", "checked", "kinks", "worst at", "analytic", "numeric", "error"]
    lines = []
    for found in checked:
        start = [found.parameter, format_shape(found.shape), str(found.elements), str(found.kinks)]
        if found.worst is None:
            lines.append([*start, "", "", "", found.skipped])
            continue
        worst = found.worst
        numbers = [f"{worst.analytic:.6g}", f"{worst.numeric:.6g}", f"{worst.error:.1e}"]
        lines.append([*start, _place(worst.index), *numbers])
    elements, failed = sum(f.elements for f in checked), sum(f.failed for f in checked)
    verdict = (
        f"{failed} of {elements} elements disagree" if failed else f"{elements} elements agree"
    )
    return f"{table(header, lines, '  rr rr ')}\n\n{verdict} (tolerance {TOLERANCE:g})"


def _place(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"


def _problem(found: Checked) -> Problem:
    worst = found.worst
    where = (
        ""
        if worst is None
        else (
            f"; worst {found.parameter}{_place(worst.index)}: analytic {worst.analytic:.9g}, "
            f"numeric {worst.numeric:.9g}"
        )
    )
    return Problem(
        f"the gradient of {found.parameter} disagrees in {found.failed} of {found.elements} "
        f"elements{where}",
        "this is a bug of nnctl, please report it with the spec",
    )


def _row(found: Checked) -> dict[str, Any]:
    worst = found.worst
    row = {
        "parameter": found.parameter,
        "shape": list(found.shape),
        "elements": found.elements,
        "failed": found.failed,
        "kinks": found.kinks,
        "skipped": found.skipped,
        "worst": None,
    }
    if worst is not None:
        row["worst"] = {
            "index": list(worst.index),
            "analytic": worst.analytic,
            "numeric": worst.numeric,
            "error": worst.error,
        }
    return row
