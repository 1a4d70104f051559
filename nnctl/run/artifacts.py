"""What reports are made from, in ``artifacts/`` of a run: written by training and by ``eval``.

evaluation-SPLIT.json    the document of ``eval --json``
layers.json              the rows of the layer table
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnctl.files import write_atomic
from nnctl.run.rundir import SCHEMA_VERSION, RunDir, jsonable, usage_errors

if TYPE_CHECKING:
    from nnctl.graph import Graph

PREFIX, SUFFIX = "evaluation-", ".json"


def write_evaluation(run: RunDir, document: Mapping[str, Any]) -> None:
    """Keep the evaluation of one split, replacing an older one."""
    _write(run, f"{PREFIX}{document['split']}{SUFFIX}", document)


def write_layers(run: RunDir, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep the layer table: plain values under the headings that the report shows."""
    _write(run, "layers.json", {"layers": list(rows)})


def layer_rows(graph: Graph) -> list[dict[str, Any]]:
    """Return the layer table of a network, under the headings that the report shows."""
    from nnctl.graph.describe import describe

    rows = [
        {
            "layer": row.name,
            "type": row.type,
            "reads": ", ".join(row.inputs),
            "output": row.shape,
            "parameters": row.parameters,
            "tied": ", ".join(row.tied),
            "FLOPs forward": row.forward_flops,
            "FLOPs backward": row.backward_flops,
        }
        for row in describe(graph, batch=1).rows
    ]
    used = [key for key in rows[0] if any(row[key] != "" for row in rows)]
    return [{key: row[key] for key in used} for row in rows]


def read_evaluations(run: RunDir) -> dict[str, dict[str, Any]]:
    """Return the evaluations by split; a file that cannot be read is as if it were not there."""
    found = {}
    for path in sorted(run.artifacts.glob(f"{PREFIX}*{SUFFIX}")):
        document = _read(path)
        if document:
            found[path.name.removeprefix(PREFIX).removesuffix(SUFFIX)] = document
    return found


def read_layers(run: RunDir) -> Sequence[Mapping[str, Any]]:
    """Return the rows of the layer table, or nothing."""
    return list(_read(run.artifacts / "layers.json").get("layers", []))


def _write(run: RunDir, name: str, document: Mapping[str, Any]) -> None:
    with usage_errors(run.artifacts):
        run.artifacts.mkdir(parents=True, exist_ok=True)
    text = json.dumps(jsonable({"schema_version": SCHEMA_VERSION, **document}), indent=1)
    write_atomic(run.artifacts / name, [text.encode() + b"\n"], durable=False)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
