"""What is fed to layers that read their own outputs: the targets, a step later."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.graph.graph import INPUT, Fed, Graph, input_node_name
from nnctl.ops import feeding
from nnctl.ops.registry import Call

if TYPE_CHECKING:
    from nnctl.plan.lower import Lowering

Arrays = dict[str, np.ndarray]


Means = Mapping[str, np.ndarray]


def fed(
    wanted: Mapping[str, Fed], targets: Mapping[str, np.ndarray], count: int, means: Means
) -> tuple[Arrays, Arrays, Arrays]:
    """Return inputs (N, *shape) and lengths (N,) of all that is fed to a network, and the targets
    of what learns where sequences end, (N, steps, 1).

    Without its target there is nothing to feed a layer but the start: of numbers their mean.
    """
    inputs, lengths, last = {}, {}, {}
    for name, one in wanted.items():
        inputs[name] = _start(one, count, means.get(one.target))
        lengths[name] = np.ones(count, dtype=np.int64)
        target = targets.get(one.target)
        if target is not None:
            counts = _counts(one, target)
            _feed(inputs[name], one, target, counts)
            lengths[name] = _lengths(counts)
            if one.ends is not None:
                last[one.ends_target] = _ends(lengths[name], one.steps)
    return inputs, lengths, last


def _start(one: Fed, count: int, mean: np.ndarray | None) -> np.ndarray:
    kind = np.int64 if one.tokens is not None else np.float64
    found = np.zeros((count, *one.shape), dtype=kind)
    if one.start is not None:
        found[:, 0] = one.start
    elif mean is not None:
        found[:] = np.resize(mean, one.width)
    return found


def _counts(one: Fed, target: np.ndarray) -> np.ndarray:
    """Which steps count (N, steps)."""
    counts = target >= 0 if one.tokens is not None else ~np.isnan(target).any(axis=2)
    return np.asarray(counts)


def _feed(found: np.ndarray, one: Fed, target: np.ndarray, counts: np.ndarray) -> None:
    """Put the outputs of the steps that count where the next ones read them."""
    there = counts[:, :-1] if one.tokens is not None else counts[:, :-1, None]
    np.copyto(found[:, 1:], target[:, :-1].astype(found.dtype), where=there)


def _lengths(counts: np.ndarray) -> np.ndarray:
    """Steps to the last one that counts, at least one."""
    found = counts.shape[1] - np.argmax(counts[:, ::-1], axis=1)
    return np.where(counts.any(axis=1), found, 1).astype(np.int64)


def _ends(lengths: np.ndarray, steps: int) -> np.ndarray:
    """1 at the last step, 0 before it, NaN behind it."""
    place, last = np.arange(steps), lengths[:, None] - 1
    return np.where(place > last, np.nan, place == last)[:, :, None]


def feed_own(low: Lowering) -> None:
    """Lower a run in evaluation mode on what is fed, and put some of what it says in its place."""
    for name, one in low.graph.fed.items():
        if not one.own_share:
            continue
        output = _output(low.graph, one)
        inputs = {n: y for n, y in low.y.items() if low.nodes[n].op == INPUT}
        first = replace(low, training=False, y=dict(inputs), saved={}, temporaries={}, folds={})
        first.lengths = low.lengths
        first.forward(low.graph.ancestors([output]) - inputs.keys())
        node = low.nodes[input_node_name(name)]
        arrays = {"outputs": first.y[output], "x": low.y[node.name]}
        arrays["lengths"] = low.lengths.of(node)
        fields: dict[str, Any] = {"classes": one.width, "own_share": one.own_share}
        fields |= {"own_after": float(one.own_after), "stream": zlib.crc32(name.encode())}
        fields["never"] = -1 if one.start is None else one.start
        of_classes = one.tokens is not None
        kernel = feeding.feed_own_classes if of_classes else feeding.feed_own_numbers
        low.add(arrays, fields, Call(kernel), name, "own")


def _output(graph: Graph, one: Fed) -> str:
    """The node whose output is fed back: the last of its layer, before any split."""
    return next(loss.output for loss in graph.losses if graph.node(loss.output).layer == one.output)
