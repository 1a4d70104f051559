"""What ``nnctl checkpoint`` tells of checkpoints, and what it makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnctl import checkpoint
from nnctl.errors import CheckpointError
from nnctl.run.compatible import changes
from nnctl.run.networks import base_dir_of, parted, spec_of
from nnctl.run.rundir import RunDir
from nnctl.spec import Spec, load_spec
from nnctl.spec.shapes import format_shape
from nnctl.train.evaluation import flat
from nnctl.train.state import BEST, TRAINED


def rows(run: RunDir) -> list[dict[str, Any]]:
    """Return one row a step file, ascending: step, epoch, bytes, metrics, links, problem."""
    links: dict[str, list[str]] = {}
    for link in (run.latest, run.best):
        links.setdefault(link.resolve().name, []).append(link.stem)
    found = []
    for step, path in run.steps().items():
        row: dict[str, Any] = {
            "file": str(path),
            "step": step,
            "epoch": None,
            "bytes": path.stat().st_size,
            "metrics": {},
            "links": links.get(path.name, []),
            "problem": "",
        }
        try:
            meta = checkpoint.read_meta(path)
            row["epoch"] = meta["state"]["epoch"]
            row["metrics"] = flat(meta.get("metrics") or {})
        except (CheckpointError, KeyError, TypeError) as error:
            row["problem"] = _first(error)
        found.append(row)
    return found


def _first(error: Exception) -> str:
    return error.problems[0].message if isinstance(error, CheckpointError) else "no training state"


def contents(path: Path) -> dict[str, Any]:
    """Return what a checkpoint holds. Raises CheckpointError; it is verified on the way."""
    tensors, meta = checkpoint.load(path)
    state = meta.get("state") or {}
    best = meta.get("best") or {}
    return {
        "file": str(path),
        "format": meta.get("format"),
        "epoch": state.get("epoch"),
        "step": state.get("step"),
        "row": state.get("row"),
        "metrics": flat(meta.get("metrics") or {}),
        "best": {key: best[key] for key in ("monitor", "value") if key in best},
        "restored": meta.get("restored", False),
        "averaged": meta.get("averaged"),
        "engine": meta.get("engine"),
        "data": meta.get("data"),
        "spec": meta.get("spec", ""),
        "tensors": [
            {
                "name": name,
                "dtype": value.dtype.name,
                "shape": format_shape(value.shape),
                "norm": float(np.linalg.norm(value.astype(np.float64))),
            }
            for name, value in sorted(tensors.items())
        ],
    }


def differences(first: Path, second: Path) -> dict[str, Any]:
    """Return how a checkpoint differs from another or, where that is one, from a spec file.

    Raises CheckpointError, SpecError.
    """
    tensors, meta = checkpoint.load(first)
    others: Mapping[str, np.ndarray[Any, Any]] | None = None
    if second.suffix == ".toml":
        spec = load_spec(second)
    else:
        others, meta_of_second = checkpoint.load(second)
        spec = _spec(second, meta_of_second)
    return {
        "first": str(first),
        "second": str(second),
        "settings": [
            {"setting": path, "first": old, "second": new}
            for path, old, new in changes(_spec(first, meta), spec)
        ],
        "tensors": [] if others is None else _tensors(tensors, others),
    }


def _spec(path: Path, meta: Mapping[str, Any]) -> Spec:
    return spec_of(meta, base_dir_of(path), name=str(path))


def _tensors(
    first: Mapping[str, np.ndarray[Any, Any]], second: Mapping[str, np.ndarray[Any, Any]]
) -> list[dict[str, str]]:
    found = []
    for name in sorted({*first, *second}):
        text = _difference(first.get(name), second.get(name))
        if text:
            found.append({"tensor": name, "difference": text})
    return found


def _difference(first: np.ndarray[Any, Any] | None, second: np.ndarray[Any, Any] | None) -> str:
    if first is None or second is None:
        return "only in the second" if first is None else "only in the first"
    if first.shape != second.shape or first.dtype != second.dtype:
        kinds = (f"{a.dtype.name} {format_shape(a.shape)}" for a in (first, second))
        return " against ".join(kinds)
    if first.tobytes() == second.tobytes():
        return ""
    gap = np.abs(first.astype(np.float64) - second.astype(np.float64))
    count = int(np.count_nonzero(gap))
    return f"{count} of {gap.size} differ, by {float(np.max(gap)):.3g} at most"


def average(paths: Sequence[Path], output: Path) -> None:
    """Write the mean of the networks of several checkpoints, taken in float64.

    The file serves ``eval`` and ``predict``; it has no training state, so nothing resumes from it.
    Raises CheckpointError.
    """
    if len(paths) < 2:
        raise CheckpointError("an average needs two checkpoints or more", f"given {len(paths)}")
    loaded = [checkpoint.load(path) for path in paths]
    networks = [_network(tensors) for tensors, _ in loaded]
    for path, network in zip(paths[1:], networks[1:], strict=True):
        odd = _misfit(networks[0], network)
        if odd:
            raise CheckpointError(f"{path} is of another network than {paths[0]}: {odd}")
    mean = {name: _mean([network[name] for network in networks]) for name in networks[0]}
    _, constants = parted(loaded[-1][0])
    meta = {k: v for k, v in loaded[-1][1].items() if k not in ("state", "best", "restored")}
    checkpoint.save(output, {**mean, **constants}, {**meta, "metrics": {}, "averaged": len(paths)})


def _network(tensors: checkpoint.Tensors) -> checkpoint.Tensors:
    """Return the tensors that make predictions: parameters and running statistics."""
    kept = {n: t for n, t in tensors.items() if n.startswith(("param/", "state/"))}
    return {n: t for n, t in kept.items() if not n.startswith((BEST, TRAINED))}


def _misfit(first: checkpoint.Tensors, second: checkpoint.Tensors) -> str:
    for name in sorted({*first, *second}):
        a, b = first.get(name), second.get(name)
        if a is None or b is None or a.shape != b.shape:
            return f"tensor {name}"
    return ""


def _mean(values: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    total = np.zeros(values[0].shape)
    for value in values:
        total += value
    return np.asarray((total / len(values)).astype(values[0].dtype))
