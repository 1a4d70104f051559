"""What reports are made from, in ``artifacts/`` of a run: written by training and by ``eval``.

evaluation-SPLIT.json    the document of ``eval --json``
pictures-SPLIT.npz       sample (n,), pictures (n, h, w, c) uint8: those of its surest mistakes; if
                         the network draws its inputs, those of its worst samples too, and drawn;
                         of clips frame (2,): the number of the one shown, and of how many
activations.npz          of ``eval --activations``: about (a JSON text), pictures, maps.K (n, h, w)
layers.json              the rows of the layer table
fading.json              of recurrent layers: norms of gradients by step, influence by distance
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from nnctl.files import write_atomic
from nnctl.run.rundir import SCHEMA_VERSION, RunDir, jsonable, usage_errors

if TYPE_CHECKING:
    from nnctl.graph import Graph
    from nnctl.run.heads import Array

PREFIX, SUFFIX = "evaluation-", ".json"
ACTIVATIONS, FADING = "activations.npz", "fading.json"


def write_evaluation(
    run: RunDir, document: Mapping[str, Any], pictures: Mapping[str, Array] | None = None
) -> None:
    """Keep the evaluation of one split and its pictures, replacing older ones."""
    _write(run, f"{PREFIX}{document['split']}{SUFFIX}", document)
    _write_arrays(run, f"pictures-{document['split']}.npz", pictures or {})


def write_activations(run: RunDir, arrays: Mapping[str, Array]) -> None:
    """Keep what the layers give for one sample, replacing another."""
    _write_arrays(run, ACTIVATIONS, arrays)


def write_layers(run: RunDir, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep the layer table: plain values under the headings that the report shows."""
    _write(run, "layers.json", {"layers": list(rows)})


def write_fading(run: RunDir, rows: Iterable[Mapping[str, Any]]) -> None:
    """Keep what is told of recurrent layers (``run/fading.py``); without any no file is left."""
    listed = list(rows)
    if listed:
        _write(run, FADING, {"layers": listed})
    else:
        (run.artifacts / FADING).unlink(missing_ok=True)


def read_fading(run: RunDir) -> Sequence[Mapping[str, Any]]:
    """Return what was told of recurrent layers, or nothing."""
    return list(_read(run.artifacts / FADING).get("layers", []))


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


def read_pictures(run: RunDir, split: str, kind: str = "pictures") -> dict[int, Array]:
    """Return the pictures of a split that were kept, by sample; ``kind`` is one of the arrays."""
    arrays = _read_arrays(run.artifacts / f"pictures-{split}.npz")
    if not {"sample", kind} <= set(arrays):
        return {}
    return dict(zip(arrays["sample"].tolist(), arrays[kind], strict=False))


def read_frame(run: RunDir, split: str) -> tuple[int, int] | None:
    """Return which frame of clips the pictures of a split show, from 1, and of how many."""
    frame = _read_arrays(run.artifacts / f"pictures-{split}.npz").get("frame")
    return None if frame is None or frame.shape != (2,) else (int(frame[0]), int(frame[1]))


def read_activations(run: RunDir) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what is told of the sample and its layers, and the arrays; or nothing."""
    arrays = _read_arrays(run.artifacts / ACTIVATIONS)
    try:
        about = json.loads(str(arrays.pop("about")))
    except (KeyError, ValueError):
        return {}, {}
    return (about, arrays) if isinstance(about, dict) else ({}, {})


def _write(run: RunDir, name: str, document: Mapping[str, Any]) -> None:
    with usage_errors(run.artifacts):
        run.artifacts.mkdir(parents=True, exist_ok=True)
    text = json.dumps(jsonable({"schema_version": SCHEMA_VERSION, **document}), indent=1)
    write_atomic(run.artifacts / name, [text.encode() + b"\n"], durable=False)


def _write_arrays(run: RunDir, name: str, arrays: Mapping[str, Array]) -> None:
    """Write an NPZ file: no pickles, and no times in it; without arrays remove an old one."""
    import numpy as np

    path = run.artifacts / name
    with usage_errors(run.artifacts):
        if not arrays:
            path.unlink(missing_ok=True)
            return
        run.artifacts.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    write_atomic(path, [buffer.getvalue()], durable=False)


def _read_arrays(path: Path) -> dict[str, Array]:
    import numpy as np

    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except (OSError, ValueError, EOFError, KeyError, TypeError, BadZipFile, zlib.error):
        return {}


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
