"""Masks: what a layer would read behind the end of a sequence, and must not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnctl.graph.graph import Graph, Node
from nnctl.graph.verify import verify

MASK = {"zeros": "mask", "last": "hold"}  # ops, by what they put behind the end


def mask_ends(graph: Graph) -> Graph:
    """Put a mask before each layer that reads behind the end of sequences, ``LAYER.mask``.

    Padding is data to such a layer only where sequences have lengths of their own. What comes back
    goes no further than the mask, so that what lies behind an end has no gradient anywhere.
    """
    if not graph.lengths:
        return graph
    known = graph.by_name()
    nodes = [made for node in graph.nodes for made in _masked(node, known)]
    return verify(replace(graph, nodes=tuple(nodes)))


def _masked(node: Node, known: dict[str, Node]) -> Iterator[Node]:
    source = known[node.inputs[0]] if node.inputs else node
    passage = node.passage
    if passage is None or source is node or source.lengths is None:
        yield node
        return
    reads = source.name
    if passage.behind is not None:
        reads = f"{node.name}.mask"
        yield Node(
            name=reads,
            op=MASK[passage.behind],
            inputs=(source.name,),
            shape=source.shape,
            layer=node.layer,
            path=node.path,
            lengths=source.lengths,
            linear=True,
        )
    yield replace(node, inputs=(reads,), op=passage.op or node.op)
