"""How gradients and influence fade in recurrent layers: two charts for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from nnctl.report import charts
from nnctl.report.figures import figure


def fading_charts(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return name, note and charts of each recurrent layer; why it has none, where it has none."""
    return [_missing(row) if row.get("missing") else _charts(row) for row in rows]


def _missing(row: Mapping[str, Any]) -> dict[str, Any]:
    note = f"{row.get('type')}. There are no charts of it: {row['missing']}."
    return {"name": str(row.get("layer")), "note": note, "charts": []}


def _charts(row: Mapping[str, Any]) -> dict[str, Any]:
    gradient, influence = (_numbers(row.get(name)) for name in ("gradient", "influence"))
    drawn = [
        ("gradient norm by step", gradient, 1, "step of the input"),
        ("influence of an input", influence, 0, "steps from there to the last state"),
    ]
    return {
        "name": str(row.get("layer")),
        "note": f"{row.get('type')}, {row.get('samples')} samples. {_said(influence)}",
        "charts": [
            {"name": name, "svg": Markup(charts.by_step(values, first, name, below))}
            for name, values, first, below in drawn
        ],
    }


def _numbers(values: Any) -> list[float]:
    return [float("nan") if value is None else float(value) for value in values or ()]


def _said(influence: Sequence[float]) -> str:
    """Say how far back half and a hundredth of the influence of the nearest input reach."""
    if not influence or not influence[0] > 0.0:
        return ""
    parts = []
    for share, name in ((0.5, "half"), (0.01, "a hundredth")):
        far = next((k for k, v in enumerate(influence) if v < share * influence[0]), None)
        if far is not None:
            steps = f"{figure(far)} step" + ("" if far == 1 else "s")
            parts.append(f"below {name} of the nearest input's influence after {steps}")
    text = ", ".join(parts)
    return (
        f"It falls {text}." if text else "No input's influence falls below half of the nearest's."
    )
