"""What a network is in numbers: shapes, parameters, memory and FLOPs, layer by layer.

Memory is an estimate from the graph alone: every output is counted as kept for the backward pass,
which the plan's reuse of buffers only betters. Recurrent layers keep numbers of every step beside
their outputs: memory of O(T), or of O(sqrt T) where steps are taken again. Rows of it are rounded
up to whole vectors, which is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nnctl.graph.autodiff import backward_order
from nnctl.graph.graph import INPUT, Graph, Node
from nnctl.graph.outline import Layer, outline
from nnctl.graph.receptive import receptive_fields
from nnctl.spec.shapes import format_shape


@dataclass(frozen=True)
class Row:
    """A layer's line. Bytes are those of a batch, FLOPs those of a sample."""

    name: str
    type: str
    shape: str
    parameters: int  # owned: a tied parameter counts where it was declared
    tied: tuple[str, ...]
    inputs: tuple[str, ...]
    activation_bytes: int
    forward_flops: int
    backward_flops: int
    receptive_field: tuple[int, ...] | None = None  # along each axis of the input, if it has axes
    steps: int | None = None  # of a recurrent layer
    step_bytes: int = 0  # that it keeps of a step for the way back
    trace_bytes: int = 0  # that it keeps of all steps, and of the start
    segment: int | None = None  # of whose steps it keeps that, where others are taken again
    unrolled_bytes: int = 0  # that all steps would take
    carried_bytes: int = 0  # of states that go on from batch to batch


@dataclass(frozen=True)
class Description:
    """Rows and totals; bytes are for ``batch`` samples of ``itemsize`` bytes a number."""

    rows: tuple[Row, ...]
    batch: int
    parameters: int
    activation_bytes: int
    trace_bytes: int
    parameter_bytes: int
    gradient_bytes: int
    optimizer_bytes: int
    forward_flops: int
    backward_flops: int

    @property
    def bytes(self) -> int:
        """All memory that training takes, by this estimate."""
        return (
            self.activation_bytes
            + self.trace_bytes
            + self.parameter_bytes
            + self.gradient_bytes
            + self.optimizer_bytes
        )


def describe(graph: Graph, batch: int, *, itemsize: int = 4, slots: int = 0) -> Description:
    """Describe a graph for batches of ``batch``; ``slots`` arrays a parameter for the optimizer."""
    backward = _backward_flops(graph)
    fields = receptive_fields(graph)
    rows = tuple(
        _row(layer, graph, batch * itemsize, backward, fields.get(layer.nodes[-1].name))
        for layer in outline(graph)
    )
    parameter_bytes = graph.parameter_count * itemsize
    return Description(
        rows=rows,
        batch=batch,
        parameters=graph.parameter_count,
        activation_bytes=sum(row.activation_bytes for row in rows),
        trace_bytes=sum(row.trace_bytes for row in rows),
        parameter_bytes=parameter_bytes,
        gradient_bytes=parameter_bytes,
        optimizer_bytes=parameter_bytes * slots,
        forward_flops=sum(row.forward_flops for row in rows),
        backward_flops=sum(row.backward_flops for row in rows),
    )


def _backward_flops(graph: Graph) -> dict[str, int]:
    """Count each gradient that a node computes, dx or dw, as costing what its forward does, and so
    much again where its steps are taken once more."""
    by_name = graph.by_name()
    return {
        step.node: by_name[step.node].flops
        * (sum(step.needs_dx) + step.needs_dw + _again(by_name[step.node]))
        for step in backward_order(graph)
    }


def _again(node: Node) -> bool:
    return node.steps is not None and node.steps.segment is not None


def _row(
    layer: Layer,
    graph: Graph,
    unit: int,
    backward: dict[str, int],
    receptive_field: tuple[int, ...] | None,
) -> Row:
    steps, ways = layer.steps, layer.ways
    kept = {name for node in layer.nodes for name in node.states.values()}
    return Row(
        name=layer.name,
        type=layer.type,
        shape=format_shape(layer.shape),
        parameters=sum(graph.parameters[name].size for name in layer.own),
        tied=layer.tied,
        inputs=layer.inputs,
        activation_bytes=unit * sum(node.size for node in layer.nodes),
        forward_flops=sum(node.flops for node in layer.nodes),
        backward_flops=sum(backward.get(node.name, 0) for node in layer.nodes),
        receptive_field=receptive_field,
        steps=steps.count if steps else None,
        step_bytes=unit * sum(way.numbers for way in ways),
        trace_bytes=unit * sum(way.kept for way in ways),
        segment=steps.segment if steps else None,
        unrolled_bytes=unit * sum(way.trace for way in ways),
        carried_bytes=unit * sum(graph.states[n].size for n in kept & {*graph.carried}),
    )


def is_stack(rows: Sequence[Row]) -> bool:
    """Tell whether every layer reads the one before it and nothing else."""
    layers = [row for row in rows if row.type != INPUT]
    chain = [rows[0].name, *(row.name for row in layers)]
    return len(layers) == len(rows) - 1 and all(
        row.inputs == (before,) for row, before in zip(layers, chain, strict=False)
    )


def human_bytes(count: int) -> str:
    """Write bytes in powers of 1024, three digits or so: ``1.2 MiB``."""
    return _scaled(count, 1024, ("B", "KiB", "MiB", "GiB", "TiB"))


def human_count(count: int) -> str:
    """Write a large count in powers of 1000: ``1.2 M``."""
    return _scaled(count, 1000, ("", "k", "M", "G", "T")).strip()


def _scaled(count: int, base: int, units: Sequence[str]) -> str:
    value = float(count)
    for unit in units[:-1]:
        if value < base:
            return f"{count} {unit}" if value == count else f"{value:.1f} {unit}"
        value /= base
    return f"{value:.1f} {units[-1]}"
