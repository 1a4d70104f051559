"""The checkpoints of a run: writes them, points latest and best at them, removes old ones."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnctl import checkpoint
from nnctl.errors import CheckpointError
from nnctl.files import os_errors, point
from nnctl.run.rundir import RunDir
from nnctl.train.state import Tensors, TrainState

DAMAGED = ".damaged"


@dataclass
class Keeper:
    """``about`` is the meta and ``constants`` the tensors that all checkpoints of a run share."""

    run: RunDir
    about: Mapping[str, Any]
    constants: Tensors
    keep: int = 3
    best_written: int = -1

    def write(self, state: TrainState, metrics: Mapping[str, Mapping[str, float]]) -> Path:
        """Write the state, the best one before it; then the links; then remove what is old.

        In this order a kill at any point leaves links to files that exist and a newest file that
        is whole. Raises CheckpointError.
        """
        best, step = state.best, state.counters.step
        if best is not None and best.counters.step not in (step, self.best_written):
            self._save(best.counters.step, *state.best_tensors(), best.metrics)
        if best is not None:
            self.best_written = best.counters.step
        path = self._save(step, *state.to_tensors(), metrics)
        point(self.run.best, (self.run.step_path(self.best_written) if best else path).name)
        point(self.run.latest, path.name)
        self.prune()
        return path

    def _save(
        self, step: int, tensors: Tensors, meta: Mapping[str, Any], metrics: Mapping[str, Any]
    ) -> Path:
        path = self.run.step_path(step)
        everything = {**self.about, **meta, "metrics": metrics}
        checkpoint.save(path, {**self.constants, **tensors}, everything)
        return path

    def prune(self) -> list[Path]:
        """Remove all but the newest ``keep`` step files and those that are linked."""
        return prune(self.run, self.keep)


def prune(run: RunDir, keep: int, also: Iterable[Path] = ()) -> list[Path]:
    """Remove step files but the newest ``keep``, what latest and best name, and ``also``.

    Returns those that were removed.
    """
    linked = {link.resolve().name for link in (run.latest, run.best) if link.is_symlink()}
    linked |= {path.name for path in also}
    removed = []
    for path in list(run.steps().values())[:-keep]:
        if path.name not in linked:
            with os_errors(f"cannot remove {path}"), contextlib.suppress(FileNotFoundError):
                path.unlink()
                removed.append(path)
    return removed


def newest_whole(
    run: RunDir, warn: Callable[[str], None]
) -> tuple[Tensors, checkpoint.Meta, Path] | None:
    """Return the newest step file that verifies, warning of each that does not; None: no files.

    Raises CheckpointError if there are files and none verifies.
    """
    files = list(run.steps().values())
    for path in reversed(files):
        try:
            return *checkpoint.load(path), path
        except CheckpointError as error:
            warn(f"warning: {error.problems[0].message} ({path}); falling back to the one before")
    if files:
        raise CheckpointError(
            f"none of the {len(files)} checkpoints of {run.path} can be used",
            "start a new run, or bring back the files from a copy",
        )
    return None


def set_aside(run: RunDir, after: int) -> None:
    """Rename step files beyond a step: they are damaged, or else training would go on there."""
    for step, path in run.steps().items():
        if step > after:
            with os_errors(f"cannot rename {path}"):
                path.rename(path.with_name(path.name + DAMAGED))
