"""Run directories read into ``Run``; what is missing or unreadable in one is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import tomli

from nnctl.errors import CheckpointError
from nnctl.report.history import SPLITS, history
from nnctl.report.runs import Run
from nnctl.run import eventlog
from nnctl.run.artifacts import (
    read_activations,
    read_evaluations,
    read_fading,
    read_frame,
    read_layers,
    read_pictures,
)
from nnctl.run.rundir import RunDir


def read_run(run: RunDir, pictures: bool = False) -> Run:
    """Return what a run's directory says, while it is still training too."""
    events = list(eventlog.read(run.events))
    ending = [e for e in events if e["event"] in ("finished", "stopped", "diverged")]
    summary = run.summary()
    if ending and not summary.get("reason"):
        summary["reason"] = ending[-1].get("reason", ending[-1]["event"])
    epochs = [event for event in events if event["event"] == "epoch"]
    if not summary.get("metrics"):
        told = [event["metrics"] for event in (*epochs, *ending) if event.get("metrics")]
        summary["metrics"] = told[-1] if told else {}
    summary.setdefault("seconds", sum(float(event.get("seconds") or 0) for event in epochs))
    summary["environment"] = _environment(summary)
    read = Run(
        name=run.name,
        folder=str(run.path),
        summary=summary,
        history=history(epochs),
        evaluations=read_evaluations(run),
        layers=tuple(read_layers(run)),
        fading=tuple(read_fading(run)),
        spec=_text(run, "spec.toml"),
        settings=dict(_flat(_table(_text(run, "resolved.toml")))),
    )
    return _with_pictures(read, run) if pictures else read


def _with_pictures(read: Run, run: RunDir) -> Run:
    from nnctl.report.kernels import read_kernels

    return replace(
        read,
        pictures={split: read_pictures(run, split) for split in read.evaluations},
        drawn={split: read_pictures(run, split, "drawn") for split in read.evaluations},
        frames={split: read_frame(run, split) for split in read.evaluations},
        activations=read_activations(run),
        kernels=read_kernels(run, read.layers),
    )


def _environment(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides the figures of a run, and where it took place."""
    names = ("started", "ended", "spec", "data", "seed", "split_seed", "dtype", "threads")
    samples = summary.get("samples") or {}
    found = {name: summary.get(name) for name in names}
    found["samples"] = ", ".join(f"{samples[s]} {s}" for s in SPLITS if s in samples) or None
    found |= summary.get("versions") or {}
    return {name: value for name, value in found.items() if value is not None}


def _text(run: RunDir, name: str) -> str:
    try:
        return run.read(name)
    except CheckpointError:
        return ""


def _table(text: str) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError:
        return {}


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every plain value with its dotted path, as ``--set`` would name it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for i, item in enumerate(value):
            yield from _flat(item, f"{path}.{i}")
    else:
        yield path, value
