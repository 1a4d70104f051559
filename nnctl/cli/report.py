"""Make a report of one RUN, or compare several: a page, or figures for other programs.

Reads run directories alone; nothing is trained or evaluated. The page is one file without
scripts that needs no network. About one run on images it has pictures: the kernels of the first
layers, the surest mistakes and, after nnctl eval --activations, the maps of a sample. Those of more
than 96 pixels a side are thinned.

  nnctl report                                  a page about the newest run, in its directory
  nnctl report runs/a runs/b -o compare.html    two runs compared
  nnctl report --format md >> "$SUMMARY"        for the build server
  nnctl report runs/* --format csv              one line per run and epoch

Formats: html (default), md, csv, json, svg. All but html go to stdout unless -o names a file;
where a file is written, its path is printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nnctl.cli._options import Quiet
from nnctl.cli.output import Output, encoded
from nnctl.errors import CheckpointError, UsageError

if TYPE_CHECKING:
    from nnctl.report.runs import Run
    from nnctl.run.rundir import RunDir

Format = Literal["html", "md", "csv", "json", "svg"]


def command(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN", help="Run directories or names; default: the newest run."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="What to make.")] = "html",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: see above.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    quiet: Quiet = False,
) -> None:
    from nnctl.report.read import read_run

    folders = [_folder(name) for name in runs] if runs else [_folder(None)]
    pictures = form == "html" and not json and len(folders) == 1
    made = _make("json" if json else form, [read_run(each, pictures) for each in folders])
    out = Output(quiet=quiet)
    if output is None and form == "html" and not json:
        output = folders[0].path / "report.html"
    if output is None:
        out.text(made)
        return
    _write(output, made)
    out.text(str(output))


def _folder(name: str | None) -> RunDir:
    from nnctl.run.locate import locate

    run = locate(name).run
    if run is None:
        raise CheckpointError(f"{name} is a checkpoint outside of a run", "name a run directory")
    return run


def _write(path: Path, text: str) -> None:
    from nnctl.files import write_atomic

    try:
        write_atomic(path, [encoded(text + "\n")], durable=False)
    except CheckpointError as error:
        raise UsageError(error.problems[0].message, "name another file with -o") from error


def _make(form: str, runs: list[Run]) -> str:
    """Return the report as text; only what the format needs is imported."""
    if form == "html":
        from nnctl.report.page import page

        return page(runs)
    if form == "svg":
        from nnctl.report.charts import sheet

        return sheet(runs)
    from nnctl.report import tables

    make = {"md": tables.markdown, "csv": tables.csv, "json": tables.document}
    return make[form](runs)
