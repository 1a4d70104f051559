"""What the peer is given: network, first parameters, data and order as plain data.

The peer needs nothing of nnctl to build from it, so it can also run in a process of its own
(memory.py), from one file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nnctl.graph import Graph
    from nnctl.run.prepare import Prepared

Arrays = Mapping[str, np.ndarray]
TABLES = ("parameters", "inputs", "targets")
EPOCHS = 8
"""Orders made beforehand; both sides go round them."""


@dataclass(frozen=True)
class Work:
    """One workload. ``network`` is JSON-able (see ``describe``); arrays are channels last.

    ``parameters`` float64 by full name; ``inputs`` and ``targets`` are the training part, as the
    network sees it (scaled and normalized); ``orders`` (epochs, rows), whole batches only.
    """

    network: Mapping[str, Any]
    parameters: Arrays
    inputs: Arrays
    targets: Arrays
    orders: np.ndarray
    batch: int
    eval_batch: int

    def save(self, path: Path) -> None:
        """Write everything to one NPZ file."""
        about = {"network": self.network, "batch": self.batch, "eval_batch": self.eval_batch}
        arrays = {"orders": self.orders, "about": np.array(json.dumps(about))}
        for table in TABLES:
            arrays |= {f"{table}/{name}": a for name, a in getattr(self, table).items()}
        np.savez(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> Work:
        """Read what ``save`` wrote."""
        tables: dict[str, Any] = {table: {} for table in TABLES}
        with np.load(path) as file:
            for key in file.files:
                table, _, name = key.partition("/")
                if table in tables:
                    tables[table][name] = file[key]
            about = json.loads(str(file["about"]))
            return cls(**about, orders=file["orders"], **tables)


def formats(work: Work) -> list[str]:
    """Return the memory formats that the peer has a choice of: for images, two."""
    has_images = any(node["op"] == "conv2d" for node in work.network["nodes"])
    return ["", "channels_last"] if has_images else [""]


def describe(graph: Graph, optimizer: Any, schedule: Any) -> dict[str, Any]:
    """Return a network as JSON-able tables.

    A node is ``in_place`` where only the node before it would read what it overwrites.
    """
    from nnctl.graph.graph import INPUT
    from nnctl.graph.passes import fuse

    by_name = graph.by_name()
    nodes = [
        {
            "name": node.name,
            "op": node.op,
            "inputs": list(node.inputs),
            "shape": list(node.shape),
            "flattened": _flattened(node, by_name),
            "padding": _padding(node, by_name),
            "fields": dict(node.fields),
            "params": {
                short: {"parameter": use.parameter, "transposed": use.transposed}
                for short, use in node.params.items()
            },
            "in_place": node.fused_with is not None,
        }
        for node in fuse(graph).nodes
    ]
    described = {
        "nodes": nodes,
        "inputs": {
            node.name.removeprefix(INPUT).removeprefix("."): node.name
            for node in graph.nodes
            if node.op == INPUT
        },
        "outputs": list(graph.outputs),
        "penalties": {n: [p.l1, p.l2] for n, p in graph.parameters.items() if p.l1 or p.l2},
        "losses": [
            {
                "output": loss.output,
                "target": loss.target,
                "type": loss.type,
                "fields": dict(loss.fields),
                "weight": loss.weight,
            }
            for loss in graph.losses
        ],
        "optimizer": optimizer.model_dump(),
        "schedule": schedule.type,
    }
    found: dict[str, Any] = json.loads(json.dumps(described, default=lambda m: m.model_dump()))
    return found


def _padding(node: Any, by_name: Mapping[str, Any]) -> list[int] | None:
    """Padding of each axis of a layer with windows; None where its two ends differ."""
    from nnctl.windows import axes_of

    window = next((k for k in ("kernel_size", "pool_size") if k in node.fields), None)
    if window is None:
        return None
    axes = axes_of(node.fields, by_name[node.inputs[0]].shape, window)
    if any((a.size + 2 * a.before - a.span) // a.stride + 1 != a.out for a in axes):
        return None
    return [a.before for a in axes]


def _flattened(node: Any, by_name: Mapping[str, Any]) -> list[int] | None:
    """The shape of the grid whose numbers a dense layer reads in a row, if it reads one."""
    if node.op != "dense":
        return None
    before = by_name[node.inputs[0]]
    while before.op in ("dropout", "relu"):
        before = by_name[before.inputs[0]]
    if before.op != "flatten" or len(by_name[before.inputs[0]].shape) < 2:
        return None
    return list(by_name[before.inputs[0]].shape)


def work_of(prepared: Prepared, parameters: Arrays) -> Work:
    """Return the work of a prepared spec, with the given first parameters."""
    part, spec = prepared.parts["train"], prepared.spec
    normalizer = prepared.normalizer
    return Work(
        network=describe(prepared.graph, spec.optimizer, spec.schedule),
        parameters=parameters,
        inputs={n: seen(a, normalizer.inputs.get(n)) for n, a in part.inputs.items()},
        targets={n: seen(a, normalizer.targets.get(n)) for n, a in part.targets.items()},
        orders=orders(prepared),
        batch=prepared.batch_size,
        eval_batch=prepared.plan.eval_batch,
    )


def seen(array: np.ndarray, scaling: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """Return an array as the network sees it; integers (labels, tokens) as they are."""
    if array.dtype.kind == "i":
        return array
    values = array / np.float32(255) if array.dtype == np.uint8 else array
    if scaling is not None:
        values = (values - scaling[0]) * scaling[1]
    return values.astype(np.float32)


def orders(prepared: Prepared) -> np.ndarray:
    """Return the orders of some epochs, (epochs, rows) int64, cut to whole batches."""
    from nnctl.data import order

    training, count = prepared.spec.training, prepared.parts["train"].samples
    whole = count - count % prepared.batch_size
    return np.stack(
        [order(training.seed, e, count, training.shuffle)[:whole] for e in range(EPOCHS)]
    )
