"""What an op is told of the place it stands in."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from nnctl.engine.kernel import Split
from nnctl.graph.graph import Node
from nnctl.ops.registry import Site
from nnctl.plan.buffers import Maker


def site_of(
    node: Node,
    shapes: Sequence[tuple[int, ...]],
    needs_dx: tuple[bool, ...],
    consumers: int,
    make: Maker,
    shards: Split,
    takes_over: bool,
) -> Site:
    """Return the site of a node; ``shapes`` are those of its inputs, ``consumers`` its readers."""
    return Site(
        inputs=tuple(prod(shape) for shape in shapes),
        output=node.size,
        shapes=tuple(shapes),
        shape=node.shape,
        fields={**node.fields, "consumers": consumers},
        needs_dx=needs_dx,
        transposed=any(use.transposed for use in node.params.values()),
        parameters=tuple(node.params),
        capacity=make.capacity,
        lanes=make.lanes,
        shards=shards,
        takes_over=takes_over,
    )
