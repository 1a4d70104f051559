"""Whether a network's parameters fit into this machine's memory: asked before any work."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from nnctl.errors import Problem
from nnctl.graph import Graph
from nnctl.graph.describe import human_bytes
from nnctl.spec import Spec

_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")  # cgroup version 2 and 1


def memory(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes of this machine or of its cgroup, whichever is less; None: unknown."""
    found = []
    for name in _LIMITS:
        with suppress(OSError, ValueError):  # no such limit, or "max"
            found.append(int((root / name).read_text()))
    with suppress(AttributeError, OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((count for count in found if count > 0), default=None)


def too_large(spec: Spec, graph: Graph, limit: int | None) -> Problem | None:
    """Return what to say of a network whose training cannot fit into ``limit`` bytes.

    Parameters, gradients and the optimizer's slots are counted, which no batch size changes.
    """
    item = 8 if spec.training.dtype == "float64" else 4
    needed = graph.parameter_count * item * (2 + len(spec.optimizer.slots))
    if limit is None or needed <= limit:
        return None
    largest = max(graph.parameters.values(), key=lambda one: one.size)
    node = graph.node(largest.node)
    return spec.problem(
        node.where,
        f"the network takes {human_bytes(needed)} for its {graph.parameter_count:,} parameters, "
        f"their gradients and what {spec.optimizer.type} keeps; this machine has "
        f"{human_bytes(limit)}",
        f'make it smaller: "{node.layer}" has {largest.size:,} of the parameters, '
        f"{largest.name} ({' x '.join(map(str, largest.shape))})",
    )
