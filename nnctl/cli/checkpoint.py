"""Look after the checkpoints of a run: list, show, verify, diff, prune, average."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nnctl.cli._options import Json
from nnctl.cli.output import Output, problems
from nnctl.errors import CheckpointError, ExitStatus, Problem

if TYPE_CHECKING:
    from nnctl.run.rundir import RunDir

group = typer.Typer(no_args_is_help=True)

RunArgument = Annotated[
    str | None, typer.Argument(metavar="[RUN]", help="Default: the newest run.")
]
CheckpointArgument = Annotated[
    str | None,
    typer.Argument(metavar="[RUN or CHECKPOINT]", help="Default: the latest of the newest run."),
]


@group.command("list")
def list_(run: RunArgument = None, json: Json = False) -> None:
    """List the checkpoints of a run, oldest first, with what was measured there."""
    from nnctl.cli.table import table
    from nnctl.run.checkpoints import rows

    out = Output(json=json)
    found = rows(_run(run))
    names = list(dict.fromkeys(name for row in found for name in row["metrics"]))
    cells = [
        [
            str(row["step"]),
            "-" if row["epoch"] is None else str(row["epoch"]),
            f"{row['bytes']:,}",
            *(_figure(row["metrics"].get(name)) for name in names),
            " ".join(row["links"]) or row["problem"],
        ]
        for row in found
    ]
    out.text(table(["step", "epoch", "bytes", *names, ""], cells, "rrr" + "r" * len(names)))
    out.document({"run": str(_run(run).path), "checkpoints": found})


@group.command("show")
def show(
    checkpoint: CheckpointArgument = None,
    json: Json = False,
    spec: Annotated[bool, typer.Option("--spec", help="Print the spec that it holds.")] = False,
) -> None:
    """Show what a checkpoint holds: where training was, metrics, tensors, origin."""
    from nnctl.cli.table import table
    from nnctl.run.checkpoints import contents

    out = Output(json=json)
    found = contents(_file(checkpoint))
    if spec:
        out.text(found["spec"])
    else:
        facts = [(name, _said(found[name])) for name in found if name not in ("spec", "tensors")]
        out.text("\n".join(f"{name.ljust(10)}  {value}" for name, value in facts))
        cells = [[t["name"], t["dtype"], t["shape"], f"{t['norm']:.6g}"] for t in found["tensors"]]
        out.text("\n" + table(["tensor", "dtype", "shape", "norm"], cells, "   r"))
    out.document(found)


@group.command("verify")
def verify(
    checkpoints: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN or CHECKPOINT ...]", help="Default: the newest run."),
    ] = None,
    json: Json = False,
) -> ExitStatus:
    """Read checkpoints to the last bit; ends with 6 if one is damaged."""
    from nnctl import checkpoint as files

    out = Output(json=json)
    paths = [path for name in checkpoints or [] for path in _files(name)] or _files(None)
    bad: list[Problem] = []
    rows: list[dict[str, Any]] = []
    for path in paths:
        try:
            files.load(path)
            rows.append({"file": str(path), "ok": True})
            out.text(f"{path}: ok")
        except CheckpointError as error:
            bad += error.problems
            rows.append({"file": str(path), "ok": False, "problem": error.problems[0].message})
    status = ExitStatus.CHECKPOINT if bad else ExitStatus.OK
    out.document({"checkpoints": rows, "errors": problems(bad), "exit_code": int(status)})
    out.complain(bad)
    return status


@group.command("diff")
def diff(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="A checkpoint or run.")],
    second: Annotated[str, typer.Argument(metavar="SECOND", help="Another, or a spec (.toml).")],
    json: Json = False,
) -> None:
    """Show how two checkpoints differ, or a checkpoint and a spec: settings, then tensors."""
    from nnctl.cli.table import table
    from nnctl.run.checkpoints import differences

    out = Output(json=json)
    found = differences(_file(first), Path(second) if second.endswith(".toml") else _file(second))
    settings = [[r["setting"], _said(r["first"]), _said(r["second"])] for r in found["settings"]]
    tensors = [[r["tensor"], r["difference"]] for r in found["tensors"]]
    if settings:
        out.text(table(["setting", "first", "second"], settings))
    if tensors:
        out.text(table(["tensor", "difference"], tensors))
    if not settings and not tensors:
        out.text("no difference")
    out.document(found)


@group.command("prune")
def prune(
    run: RunArgument = None,
    keep: Annotated[int, typer.Option("--keep", min=1, help="How many of the newest stay.")] = 1,
    json: Json = False,
) -> None:
    """Remove old checkpoints; what latest and best name and the newest whole one always stay."""
    from nnctl.run.keeper import newest_whole
    from nnctl.run.keeper import prune as remove

    out = Output(json=json)
    found = _run(run)
    with found.lock():
        whole = newest_whole(found, out.warn)
        removed = remove(found, keep, [whole[2]] if whole else [])
    out.text("\n".join(f"removed {path}" for path in removed) or "nothing to remove")
    out.document({"run": str(found.path), "removed": [str(path) for path in removed]})


@group.command("average")
def average(
    checkpoints: Annotated[
        list[str], typer.Argument(metavar="CHECKPOINT CHECKPOINT ...", help="At least two.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    json: Json = False,
) -> None:
    """Average the parameters of checkpoints into a new file for eval and predict; a run stands
    for all of its checkpoints."""
    from nnctl.run.checkpoints import average as mean

    out = Output(json=json)
    paths = [path for name in checkpoints for path in _files(name)]
    mean(paths, output)
    out.text(str(output))
    out.document({"file": str(output), "averaged": [str(path) for path in paths]})


def _run(name: str | None) -> RunDir:
    from nnctl.run.locate import locate

    run = locate(name).run
    if run is None:
        raise CheckpointError(f"{name} lies in no run", "give a run directory")
    return run


def _file(name: str | None) -> Path:
    from nnctl.run.locate import locate

    return locate(name).checkpoint("latest")


def _files(name: str | None) -> list[Path]:
    """Return the file that is meant, or all step files of a run."""
    from nnctl.run.locate import locate

    found = locate(name)
    if found.file is not None or found.link or found.run is None:
        return [found.checkpoint("latest")]
    return list(found.run.steps().values()) or [found.checkpoint("latest")]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_said(item)}" for key, item in value.items()) or "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else str(value)
