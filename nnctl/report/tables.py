"""Runs as Markdown, CSV and one JSON document, for whatever reads on."""

from __future__ import annotations

import csv as writer
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from nnctl.report.confused import NUMBERED, confused, outputs
from nnctl.report.figures import figure, setting
from nnctl.report.history import SPLITS
from nnctl.report.runs import Run, differences
from nnctl.report.story import final, headline, sentence

SCHEMA_VERSION = 1
MISTAKES = 10


def document(runs: Sequence[Run]) -> str:
    """Return one JSON document: summary, evaluations, layers and every epoch of each run."""
    whole = {
        "schema_version": SCHEMA_VERSION,
        "runs": [
            {
                "name": run.name,
                "folder": run.folder,
                "best_epoch": run.history.best,
                "summary": run.summary,
                "metrics": final(run),
                "evaluations": run.evaluations,
                "layers": run.layers,
                "epochs": run.history.rows(),
            }
            for run in runs
        ],
    }
    return json.dumps(_finite(whole), indent=2, allow_nan=False)


def csv(runs: Sequence[Run]) -> str:
    """Return one line per run and epoch; a figure that was not taken is an empty cell."""
    names = dict.fromkeys(name for run in runs for name in run.history.series)
    buffer = io.StringIO()
    sheet = writer.writer(buffer, lineterminator="\n")
    sheet.writerow(["run", "epoch", *names])
    for run in runs:
        for row in run.history.rows():
            sheet.writerow([run.name, row["epoch"], *(_cell(row.get(name)) for name in names)])
    return buffer.getvalue().rstrip("\n")


def markdown(runs: Sequence[Run]) -> str:
    """Return a summary in Markdown, as build servers show it."""
    parts = [_comparison(runs)] if len(runs) > 1 else []
    parts += [_about(run) for run in runs]
    return "\n\n".join(parts)


def _comparison(runs: Sequence[Run]) -> str:
    names = list(dict.fromkeys(name for run in runs for name in headline(run)))
    rows = [[run.name, *(figure(headline(run).get(name)) for name in names)] for run in runs]
    parts = ["# Comparison", table(["run", *names], rows)]
    differing = differences(list(runs))
    if differing:
        lines = [[f"`{d['setting']}`", *map(setting, d["values"])] for d in differing]
        parts += ["## What differs", table(["setting", *(run.name for run in runs)], lines)]
    return "\n\n".join(parts)


def _about(run: Run) -> str:
    parts = [f"# {escape(run.name)}", escape(sentence(run))]
    metrics = final(run)
    splits = [split for split in SPLITS if metrics.get(split)]
    names = list(dict.fromkeys(name for split in splits for name in metrics[split]))
    if splits:
        rows = [[name, *(figure(metrics[s].get(name), 6) for s in splits)] for name in names]
        parts.append(table(["metric", *splits], rows))
    for split, found in run.evaluations.items():
        parts += _evaluation(split, found)
    return "\n\n".join(parts)


def _evaluation(split: str, found: Mapping[str, Any]) -> list[str]:
    parts = []
    if found.get("gates"):
        rows = [
            [f"`{g['gate']}`", figure(g["value"], 6), "met" if g["passed"] else "**not met**"]
            for g in found["gates"]
        ]
        parts += ["## Gates", table(["gate", "value", "result"], rows)]
    if found.get("per_class"):
        names = ("class", "precision", "recall", "f1", "support")
        rows = [[figure(row[name]) for name in names] for row in found["per_class"]]
        parts += [f"## By class, on {split}", table(names, rows)]
    for name, output in outputs(found).items():
        parts += _confusion(f" of {name}" if name else "", split, output)
    if found.get("mistakes"):
        parts += [f"## Surest mistakes, on {split}", _mistakes(found["mistakes"])]
    return parts


def _confusion(of: str, split: str, output: Mapping[str, Any]) -> list[str]:
    """Return the counts of some classes; of many what was confused most often."""
    confusion = output.get("confusion") or {"classes": [], "counts": []}
    names, counts = confusion["classes"], confusion["counts"]
    if not names:
        return []
    if len(names) <= NUMBERED:
        rows = [[name, *map(str, row)] for name, row in zip(names, counts, strict=True)]
        heading = f"## Confusion{of}, on {split}: rows true, columns predicted"
        return [heading, table(["true", *names], rows)]
    most = [[c["true"], c["predicted"], str(c["count"])] for c in confused(confusion)]
    if not most:
        return []
    heading = f"## Confused most often{of}, on {split}"
    return [heading, table(["true", "predicted", "samples"], most)]


def _mistakes(rows: Sequence[Mapping[str, Any]]) -> str:
    file = ["file"] if rows[0].get("file") else []
    names = ["sample", *file, "true", "predicted", "probability"]
    names = ["output", *names] if "output" in rows[0] else names
    cells = [{**row, "sample": str(row["sample"])} for row in rows[:MISTAKES]]
    shown = [[figure(row[name], 3) for name in names] for row in cells]
    return table(names, shown)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; cells are escaped, code spans are left as they are."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(_inside, line)) + " |" for line in lines)


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    return "".join(f"\\{c}" if c in "\\`*[]<>|#" else c for c in " ".join(text.split()))


def _inside(cell: str) -> str:
    whole = cell[:1] == "`" == cell[-1:] or cell.startswith("**")
    return cell.replace("|", "\\|") if whole else escape(cell)


def _cell(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else repr(value)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
