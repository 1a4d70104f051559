"""What ``train`` and ``resume`` have in common: options, the terms of a session, and its result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._clock import seconds_of, since_start
from nnctl.cli._progress import Progress, figures
from nnctl.cli.output import Output, problems
from nnctl.errors import ExitStatus, Problem

if TYPE_CHECKING:
    from nnctl.run.training import Outcome, Terms

RunDirOption = Annotated[
    Path | None,
    typer.Option("--run-dir", metavar="DIR", help="Where the run goes; default: runs/NAME-NNN."),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", min=1, max=1024, help="Threads; no number depends on it."),
]
MaxTime = Annotated[
    str | None,
    typer.Option(
        "--max-time",
        metavar="TIME",
        help="Stop after 50m, 1h30m or 90s from the start of the process, with exit code 75; "
        "at least one step is done.",
    ),
]
Gates = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="GATE",
        help="A condition on the result, such as 'accuracy>=0.95'; unmet is exit code 5. "
        "Repeatable, beside those of [gates].",
    ),
]


@contextmanager
def terms(
    out: Output, threads: int | None, max_time: str | None, gates: Sequence[str] | None
) -> Iterator[Terms]:
    """Yield the terms of a session that watches for signals. Raises UsageError."""
    from nnctl.spec.gates import parse_gates

    # What is wrong with the command line is said before the slow imports.
    wanted = tuple(parse_gates(gates or ()))
    seconds = None if max_time is None else seconds_of(max_time)

    from nnctl.run.signals import watch
    from nnctl.run.training import Terms

    with watch() as request:
        yield Terms(
            threads=threads,
            max_seconds=seconds,
            elapsed=since_start,
            gates=wanted,
            request=request,
            on_event=Progress(out),
            warn=out.warn,
            note=out.note,
        )


def report(out: Output, outcome: Outcome) -> ExitStatus:
    """Print how a session ended: the result on stdout, complaints on stderr."""
    found = complaints(outcome)
    summary = dict(outcome.summary)
    summary.pop("schema_version", None)
    out.text(result(outcome))
    out.document(
        {
            **summary,
            "run": str(outcome.run.path),
            "already": outcome.already,
            "gates": [verdict.row() for verdict in outcome.verdicts],
            "errors": problems(found),
            "exit_code": int(outcome.status),
        }
    )
    out.complain(found)
    if outcome.summary.get("status") == "stopped":
        out.note(f"nnctl resume {outcome.run.path} goes on with it")
    return outcome.status


def complaints(outcome: Outcome) -> list[Problem]:
    """Return what went wrong: gates that were not met, or a divergence."""
    found = [verdict.problem() for verdict in outcome.verdicts if not verdict.passed]
    if outcome.status == ExitStatus.DIVERGED:
        step = int(outcome.summary.get("steps") or 0) + 1
        message = f"step {step}: training diverged; the first NaN or Inf is in {outcome.tensor}"
        kept, split = "the last good state is", outcome.summary.get("diverged_on")
        if split:
            message = f"after step {step - 1}: training diverged; the loss on {split} is NaN or Inf"
            kept = "the state after that step is"
        hint = f"{kept} {outcome.run.latest}\ntry a lower learning_rate"
        found.append(Problem(message, hint))
    return found


def result(outcome: Outcome) -> str:
    """Return the result as text: the run, how it ended, and its figures by split."""
    summary = outcome.summary
    head = f"{outcome.run.path}: {ENDINGS.get(str(summary.get('status')), 'ended')}"
    head += f" ({outcome.reason}) after epoch {summary.get('epochs')}, step {summary.get('steps')}"
    head += f", {float(summary.get('seconds') or 0):.1f} s"
    compiling = float(summary.get("compile_seconds") or 0)
    if compiling >= WORTH_SAYING and not outcome.already:
        head += f" and {compiling:.1f} s of compiling"
    if outcome.already:
        head = f"{outcome.run.path}: nothing left to do, it had {head.partition(': ')[2]}"
    lines = [head]
    metrics: dict[str, dict[str, Any]] = summary.get("metrics") or {}
    lines += [f"  {split.ljust(10)} {figures(_known(values))}" for split, values in metrics.items()]
    best = summary.get("best")
    if best:
        what = f"{best['monitor']} {best['value']:.4f} at epoch {best['epoch']}"
        lines.append(f"  best       {what}")
    lines += [
        f"  gate       {v.gate}: {'met' if v.passed else 'NOT MET'}" for v in outcome.verdicts
    ]
    return "\n".join(lines)


WORTH_SAYING = 0.1  # seconds
ENDINGS = {"finished": "finished", "stopped": "stopped", "diverged": "diverged"}


def _known(values: dict[str, Any]) -> dict[str, float]:
    return {name: float("nan") if value is None else value for name, value in values.items()}
