"""The state before the first step: random, or out of the file that ``[init]`` names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from nnctl.init import initialize
from nnctl.run.prepare import Prepared
from nnctl.spec import Spec
from nnctl.train.state import TrainState


def begun(prepared: Prepared, note: Callable[[str], None]) -> tuple[Prepared, TrainState]:
    """Return the first state, and what was prepared with a spec that says what it began with.

    Raises CheckpointError, SpecError for a file that does not fit.
    """
    spec, graph = prepared.spec, prepared.graph
    values = initialize(graph, spec.training.seed)
    tensors = {f"param/{name}": value for name, value in values.items()}
    if spec.init is None:
        return prepared, TrainState(tensors=tensors)
    from nnctl.interop.weights import load

    loaded = load(spec, graph)
    for name, state in graph.states.items():
        if state.of_samples:
            continue
        tensors[f"state/{name}"] = np.full(state.shape, state.initial)
    afresh = f"; afresh: {', '.join(loaded.fresh)}" if loaded.fresh else ""
    note(f"starts from {len(loaded.tensors)} tensors of {spec.init.from_}{afresh}")
    pinned = spec.init.model_copy(update={"sha256": loaded.sha256})
    spec = spec.model_copy(update={"init": pinned})
    return replace(prepared, spec=spec), TrainState(tensors=tensors | loaded.tensors)


def pinned_as(old: Spec, new: Spec) -> Spec:
    """Return a spec whose file is the one that the run began with, unless it says otherwise."""
    if old.init is None or new.init is None or new.init.sha256 is not None:
        return new
    start = new.init.model_copy(update={"sha256": old.init.sha256})
    return new.model_copy(update={"init": start})
