"""List the bundled data sets and generators, or look at one data set.

  nnctl data list
  nnctl data info digits
  nnctl data info measurements.csv --target price
  nnctl data info weather.csv --target rain --window 24

Only headers and cells are read; nothing is trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nnctl.cli._options import Json
from nnctl.cli.output import Output

if TYPE_CHECKING:
    from nnctl.spec.info import DataInfo

Tokens = Literal["character", "word", "byte"]
group = typer.Typer()


@group.command("list")
def list_(json: Json = False) -> None:
    """List the bundled data sets and the generators."""
    from nnctl.cli.table import table
    from nnctl.data.bundled import card, folders
    from nnctl.spec.registry import tags

    out = Output(json=json)
    cards = [card(name) for name in folders()]
    rows = [(c.name, f"{c.samples:,}", c.task, c.description) for c in cards]
    out.text(table(("name", "samples", "task", "description"), rows, "lrl"))
    out.text(f"\ngenerators: {', '.join(tags('generators'))} (nnctl explain NAME tells more)")
    sets = [
        {"name": c.name, "samples": c.samples, "task": c.task, "description": c.description}
        for c in cards
    ]
    out.document({"datasets": sets, "generators": tags("generators")})


@group.command("info")
def info(
    source: Annotated[str, typer.Argument(help="Bundled name or file.", metavar="DATA")],
    target: Annotated[str | None, typer.Option("--target", help="Column to predict.")] = None,
    window: Annotated[
        int | None, typer.Option("--window", min=1, help="Steps of a window of a series or text.")
    ] = None,
    tokens: Annotated[
        Tokens | None, typer.Option("--tokens", help="What text is cut into.")
    ] = None,
    json: Json = False,
) -> None:
    """Show shapes, classes and columns of a data set."""
    from nnctl.data.header import inspect
    from nnctl.spec.data import DataSpec

    out = Output(json=json)
    keys = {"source": source, "target": target, "window": window, "tokens": tokens}
    found = inspect(DataSpec.model_validate(keys), Path())
    facts = _facts(found)
    width = max(map(len, facts))
    out.text("\n".join(f"{name.ljust(width)}  {_text(value)}" for name, value in facts.items()))
    out.document({"source": source, **facts})


def _facts(found: DataInfo) -> dict[str, Any]:
    from nnctl.spec.shapes import format_shape

    facts: dict[str, Any] = {"samples": found.samples}
    facts |= {f"{name} samples": count for name, count in found.parts.items()}
    for name, shape in found.inputs.items():
        size = found.vocabularies.get(name)
        of = f" tokens of {size}" if size else ""
        facts[f"input {name}".strip()] = format_shape(shape) + of
    for name, target in found.targets.items():
        key = f"target {name}".strip()
        each = f" at each of {target.steps} steps" if target.steps else ""
        facts[key] = f"{target.kind}, {target.width} wide{each}"
        if target.kind == "class":
            facts[key] = f"{target.width} classes{each}"
            facts[f"classes {name}".strip()] = list(target.classes or ())
    facts["columns"] = list(found.columns)
    facts["files"] = list(found.files)
    return facts


def _text(value: Any) -> str:
    if not isinstance(value, list):
        return f"{value:,}" if isinstance(value, int) else str(value)
    shown = ", ".join(map(str, value[:12]))
    return shown if len(value) <= 12 else f"{shown}, ... ({len(value)} in all)"
