"""The use case ``predict``: what a checkpoint says of samples without answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data import Part
from nnctl.errors import UsageError
from nnctl.graph import Graph
from nnctl.graph.graph import input_node_name
from nnctl.run.decoding import GREEDY, Manner, all_said, as_targets
from nnctl.run.evaluate import OTHER, Stored, compiled, no_part, parts_now, read, read_file
from nnctl.run.heads import Array, Head
from nnctl.run.predictions import Predicted, Predictions, predicted, spoken
from nnctl.spec.metrics import SPLITS
from nnctl.spec.suggest import hint as suggestion
from nnctl.train.evaluation import SLICE_ROWS

if TYPE_CHECKING:
    from nnctl.plan import Plan


def predict(
    path: Path,
    inputs: Sequence[str],
    *,
    layer: str | None = None,
    threads: int | None = None,
    manner: Manner = GREEDY,
) -> Predictions:
    """Return what a checkpoint says of files, or of parts of its data, given by name.

    With ``layer`` the features that the layer has learned instead; ``manner`` is how a decoder
    looks for what it says. Raises UsageError, DataError.
    """
    stored = read(path)
    manner.check(stored.graph)
    if layer is not None:
        _require_layer(stored.graph, layer)
    parts = [unlabeled(stored, source) for source in inputs]
    plan = compiled(stored, None, threads)
    try:
        return _predictions(stored, plan, inputs, parts, layer, manner)
    finally:
        plan.close()


def _predictions(
    stored: Stored,
    plan: Plan,
    sources: Sequence[str],
    parts: Sequence[Part],
    layer: str | None,
    manner: Manner,
) -> Predictions:
    found = _outputs(plan, parts, layer, stored.heads, manner)
    outputs = (
        [] if layer else [_said(stored, plan, head, parts, found, manner) for head in stored.heads]
    )
    return Predictions(
        sources=tuple(sources),
        source=np.repeat(np.arange(len(parts)), [part.samples for part in parts]),
        sample=np.concatenate([part.index for part in parts]),
        files=_files(parts),
        outputs=tuple(outputs),
        features=found if layer else {},
    )


def _outputs(
    plan: Plan, parts: Sequence[Part], layer: str | None, heads: Sequence[Head], manner: Manner
) -> dict[str, Array]:
    """Return what the network gives, by node, or the features of a layer, of a decoder along what
    it says; nothing where decoders give all of it."""
    found: dict[str, list[Array]] = {}
    if layer is None and all(head.feeds is not None for head in heads):
        return {}
    for number, part in enumerate(parts):
        name = f"{OTHER}{number}"
        said = as_targets(plan, heads, part, manner) if _speaks(plan, layer) else None
        plan.attach(name, part.inputs, None, part.lengths, said)
        for start in range(0, part.samples, SLICE_ROWS):
            rows = np.arange(start, min(start + SLICE_ROWS, part.samples), dtype=np.int64)
            if layer is not None:
                found.setdefault(layer, []).append(plan.features(name, rows, layer))
                continue
            for node, values in plan.evaluate(name, rows).outputs.items():
                found.setdefault(node, []).append(values)
    return {name: np.concatenate(values) for name, values in found.items()}


def _speaks(plan: Plan, layer: str | None) -> bool:
    """Whether a layer reads what a decoder has said."""
    if layer is None:
        return False
    before = plan.graph.ancestors([plan.tapes.last_node(layer)])
    return any(input_node_name(name) in before for name in plan.graph.spoken)


def _said(
    stored: Stored,
    plan: Plan,
    head: Head,
    parts: Sequence[Part],
    outputs: Mapping[str, Array],
    manner: Manner,
) -> Predicted:
    """Return what an output says: itself, step by step, or as it is given."""
    if head.feeds is None:
        made = predicted(head, outputs[head.node])
        return replace(made, ends=_ends(stored.graph, head, parts))
    answers = stored.reading.answers if stored.reading else {}
    return spoken(head, all_said(plan, head, parts, manner), answers.get(head.target))


def _ends(graph: Graph, head: Head, parts: Sequence[Part]) -> Array | None:
    """Return the steps of each sample's output; None where all have as many, or none."""
    known = graph.node(head.node).lengths
    if known is None or head.info.steps is None:
        return None
    return np.concatenate([known.of(part.lengths[known.input]) for part in parts])


def _files(parts: Sequence[Part]) -> Array | None:
    """Return the files of all samples, "" for one that is none; None where there are no files."""
    if all(part.files is None for part in parts):
        return None
    none = [np.full(part.samples, "") for part in parts]
    pairs = zip(parts, none, strict=True)
    return np.concatenate([n if part.files is None else part.files for part, n in pairs])


def unlabeled(stored: Stored, source: str) -> Part:
    """Return the samples of a file, or of a part of the data. Raises UsageError, DataError."""
    if source in SPLITS:
        parts = parts_now(stored)
        if source not in parts:
            raise no_part(source, parts)
        return parts[source]
    return read_file(stored, source, labeled=False)


def _require_layer(graph: Graph, layer: str) -> None:
    read = [node for node in graph.nodes if node.inputs]  # what reads nothing is data, no feature
    names = [n for n in dict.fromkeys(n for node in read for n in (node.layer, node.name)) if n]
    if layer not in names:
        raise UsageError(f"there is no layer {layer!r}", suggestion(layer, names, "layers"))
