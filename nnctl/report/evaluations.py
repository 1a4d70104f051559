"""An evaluation, as the template of the page needs it: output by output, with its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnctl.report.confused import confused, outputs, wrong
from nnctl.report.confusion import confusion_svg
from nnctl.report.pictures import gallery, pairs
from nnctl.report.runs import Run

MOST_CLASSES = 60  # above that only the worst are listed
WORST_CLASSES = 30


def facts(run: Run, split: str) -> dict[str, Any]:
    """Return what the template needs of the evaluation of one split."""
    document = run.evaluations[split]
    mistakes, worst = document.get("mistakes") or [], document.get("worst") or []
    return {
        "split": split,
        "metrics": document.get("metrics") or {},
        "gates": document.get("gates") or [],
        "worst": worst,
        "has_files": all(row.get("file") for row in worst),
        "samples": document.get("samples"),
        "outputs": [_output(name, found) for name, found in outputs(document).items()],
        "gallery": gallery(mistakes, run.pictures.get(split, {})),
        "pairs": pairs(worst, run.pictures.get(split, {}), run.drawn.get(split, {})),
        "frame": run.frames.get(split),
        "has_truth": any(row.get("true") is not None for row in worst),
        "wrong": sum(map(wrong, outputs(document).values())),
    }


def _output(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    confusion = found.get("confusion") or {"classes": [], "counts": []}
    rows = found.get("per_class") or []
    classes = len(rows)
    return {
        "name": name,
        "confusion": confusion_svg(confusion["classes"], confusion["counts"]),
        "classes": len(confusion["classes"]),
        "confused": confused(confusion),
        "per_class": rows if classes <= MOST_CLASSES else _worst_classes(rows),
        "of": classes,
    }


def _worst_classes(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    known = [row for row in rows if row.get("f1") is not None]
    return sorted(known, key=lambda row: float(row["f1"]))[:WORST_CLASSES]
