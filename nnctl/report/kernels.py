"""The kernels of the first layers of a network, read from a run's best checkpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnctl import checkpoint
from nnctl.errors import CheckpointError
from nnctl.run.rundir import RunDir

Array = np.ndarray[Any, Any]
NAMES = ("w", "depthwise_w")  # of the parameter that holds (*places, channels, filters)
CONVOLVES = re.compile(r"(depthwise_|separable_)?conv[123]d\b")


def read_kernels(run: RunDir, layers: Sequence[Mapping[str, Any]]) -> dict[str, Array]:
    """Return the kernels (*places, channels, filters) by layer; nothing where there are none."""
    names = first_convolutions(layers)
    tensors = _tensors(run) if names else {}
    found = {}
    for name in names:
        for short in NAMES:
            kernels = tensors.get(f"param/{name}.{short}")
            if kernels is not None and 3 <= kernels.ndim <= 5:
                found[name] = kernels
    return found


def first_convolutions(layers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the convolutions that see the data as they are: no layer before has parameters."""
    untouched: set[str] = set()
    found = []
    for row in layers:
        sources = {name for name in str(row.get("reads") or "").split(", ") if name}
        if not sources <= untouched:
            continue
        if not row.get("parameters"):
            untouched.add(str(row.get("layer")))
        elif CONVOLVES.match(str(row.get("type"))):
            found.append(str(row.get("layer")))
    return found


def _tensors(run: RunDir) -> dict[str, Array]:
    """Return the tensors of the best checkpoint that can be read, or nothing."""
    for path in (run.best, run.latest):
        try:
            return checkpoint.load(path)[0]
        except CheckpointError:
            continue
    return {}
