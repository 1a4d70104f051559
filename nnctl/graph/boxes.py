"""What is drawn of a graph: boxes with two lines of text, and which of them each reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from nnctl.graph.graph import INPUT, SPLIT, Graph
from nnctl.graph.outline import Layer, outline
from nnctl.spec.shapes import format_shape


@dataclass(frozen=True)
class Box:
    """What is drawn: two lines of text, and what it reads."""

    name: str
    title: str
    detail: str
    kind: str  # "input", "layer" or "loss"
    inputs: tuple[str, ...]


def boxes(graph: Graph) -> tuple[Box, ...]:
    """Return inputs, layers and losses in topological order."""
    layers = outline(graph)
    home = {node.name: layer.name for layer in layers for node in layer.nodes}
    ends = {name: (layer,) for name, layer in home.items()}
    return (*map(box_of, layers), *losses(graph, ends))


def losses(graph: Graph, ends: Mapping[str, tuple[str, ...]]) -> tuple[Box, ...]:
    """Return the boxes of the losses; ``ends``: by node, the boxes of its output."""
    return tuple(
        Box(
            name=f"loss of {loss.output}",
            title=loss.type,
            detail=f"target {loss.target}" if loss.target else "loss",
            kind="loss",
            inputs=ends[loss.output.removesuffix(f".{SPLIT}")],
        )
        for loss in graph.losses
    )


def box_of(layer: Layer) -> Box:
    """Return a layer's box."""
    is_input = layer.nodes[0].op == INPUT
    detail = format_shape(layer.shape) if is_input else f"{layer.type}, {format_shape(layer.shape)}"
    if layer.tied:
        detail += f", tied to {', '.join(dict.fromkeys(layer.tied))}"
    return Box(layer.name, layer.name, detail, "input" if is_input else "layer", layer.inputs)
