"""The table of ``nnctl show``, as text and as a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from nnctl.cli._network import Network
from nnctl.cli.table import table
from nnctl.graph.describe import Description, Row, human_bytes, human_count, is_stack
from nnctl.spec.shapes import format_shape


def as_text(network: Network, found: Description) -> str:
    """Return the table and its totals; ``from`` is left out where every layer reads the last."""
    columns = [
        ("layer", "", [row.name for row in found.rows]),
        ("type", "", [row.type for row in found.rows]),
        ("shape", "r", [row.shape for row in found.rows]),
        ("parameters", "r", [_parameters(row) for row in found.rows]),
        ("memory", "r", [human_bytes(row.activation_bytes) for row in found.rows]),
        ("forward", "r", [human_count(row.forward_flops) for row in found.rows]),
        ("backward", "r", [human_count(row.backward_flops) for row in found.rows]),
    ]
    if any(_is_grid(row) for row in found.rows):
        columns.insert(3, ("receptive field", "r", [_seen(row) for row in found.rows]))
    if not is_stack(found.rows):
        columns.append(("from", "", [", ".join(row.inputs) for row in found.rows]))
    header = [name for name, _, _ in columns]
    sides = "".join(side or "l" for _, side, _ in columns)
    rows = list(zip(*(cells for _, _, cells in columns), strict=True))
    return "\n".join(
        [network.spec.name, "", table(header, rows, sides), "", *_totals(network, found)]
    )


def _is_grid(row: Row) -> bool:
    """Whether a layer's outputs have places that may see different parts of the input."""
    return row.receptive_field is not None and "x" in row.shape


def _seen(row: Row) -> str:
    return "" if row.receptive_field is None else format_shape(row.receptive_field)


def _parameters(row: Row) -> str:
    if row.tied:
        return f"{row.parameters:,} + tied" if row.parameters else "tied"
    return f"{row.parameters:,}"


def _totals(network: Network, found: Description) -> Iterator[str]:
    yield f"parameters  {found.parameters:,}" + _ties(found)
    yield (
        f"memory      {human_bytes(found.bytes)} for batches of {found.batch}: outputs "
        f"{human_bytes(found.activation_bytes)}, {_unrolling(found)}"
        f"parameters {human_bytes(found.parameter_bytes)}, "
        f"gradients {human_bytes(found.gradient_bytes)}, "
        f"optimizer {human_bytes(found.optimizer_bytes)} (estimate)"
    )
    for row in found.rows:
        if row.steps is not None:
            yield _steps(row)
        if row.carried_bytes:
            carried = f"{human_bytes(row.carried_bytes)} of states from batch to batch"
            yield f"carrying    {row.name} hands on {carried}"
    yield (
        f"FLOPs       {human_count(found.forward_flops)} forward, "
        f"{human_count(found.backward_flops)} backward, for a sample"
    )
    for loss in network.graph.losses:
        node = network.graph.node(loss.output)
        target = f" against {loss.target}" if loss.target else ""
        yield f"loss        {loss.type} of {node.layer}{target}"


def _steps(row: Row) -> str:
    """What a recurrent layer keeps for the way back."""
    step = f"unrolling   {row.name} keeps {human_bytes(row.step_bytes)} a step for the way back"
    trace, whole = human_bytes(row.trace_bytes), human_bytes(row.unrolled_bytes)
    if row.segment is None:
        return f"{step}, {trace} for {row.steps} steps and the start"
    again = f"{row.segment} of {row.steps} steps at a time, and the states between"
    return f"{step}, {trace} for {again}: {whole} without gradient_checkpointing"


def _unrolling(found: Description) -> str:
    return f"unrolling {human_bytes(found.trace_bytes)}, " if found.trace_bytes else ""


def _ties(found: Description) -> str:
    tied = sorted({name for row in found.rows for name in row.tied})
    return f" (counted once, used more often: {', '.join(tied)})" if tied else ""


def as_document(network: Network, found: Description) -> dict[str, Any]:
    """Return the same as a JSON document."""
    fields = asdict(found)
    rows = fields.pop("rows")
    return {
        "name": network.spec.name,
        "layers": rows,
        "totals": {**fields, "bytes": found.bytes},
        "outputs": list(network.graph.outputs),
        "losses": [
            {"output": loss.output, "target": loss.target, "type": loss.type, "weight": loss.weight}
            for loss in network.graph.losses
        ],
    }
