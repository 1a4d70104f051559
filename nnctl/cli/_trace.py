"""A training step on one sample as text: what a student would work out by hand, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nnctl.graph.graph import Node
    from nnctl.run.verify import Trace

DIGITS = 6
# More numbers than these are shown by their first and last ones; --json has all of them.
SHOWN, EDGE, WIDTH = 48, 3, 88


def as_text(trace: Trace) -> str:
    """Return signals and outputs forward, then deltas and gradients backward."""
    names = {node.name: node for node in trace.nodes}
    width = max(map(len, names))
    lines = [f"sample {trace.sample} of the training part: {trace.truth}", "", "forward"]
    for node in trace.nodes:
        lines += _block(node.name, width, _forward(node, trace.arrays[node.name]))
    lines += ["", f"loss = {trace.loss:.9g}   {trace.losses}"]
    if trace.penalty:
        lines.append(f"penalty = {trace.penalty:.9g}")
    lines += ["", "backward: E is the loss" + (" and the penalty" if trace.penalty else "")]
    for node in reversed(trace.nodes):
        lines += _block(node.name, width, _backward(node, trace.arrays[node.name]))
    return "\n".join(lines)


def _forward(node: Node, arrays: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a node gives: a signal if it has parameters, else an output."""
    for name in node.params:
        yield f"        {name} = ", arrays[name]
    if node.params:
        yield "signal  s = ", arrays["y"]
    elif not node.inputs:
        yield "input   x = ", arrays["y"]
    else:
        yield f"output  y = {node.op}(s) = " if node.elementwise else "output  y = ", arrays["y"]


def _backward(node: Node, arrays: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the derivative by what the node gives, then by its parameters."""
    if "dy" in arrays:
        yield "delta   dE/ds = " if node.params else "        dE/dy = ", arrays["dy"]
    for name in node.params:
        if f"d{name}" in arrays:
            yield f"        dE/d{name} = ", arrays[f"d{name}"]


def _block(name: str, width: int, parts: Iterator[tuple[str, Any]]) -> list[str]:
    lines = []
    label = f"  {name.ljust(width)}  "
    for head, values in parts:
        first, *rest = f"{head}{_numbers(values, len(label) + len(head))}".splitlines()
        lines.append(label + first)
        lines += rest
        label = " " * len(label)
    return lines


def _numbers(values: Any, indent: int) -> str:
    flat = np.asarray(values) + 0.0  # no -0
    return np.array2string(
        flat.reshape(-1) if flat.ndim > 2 else flat,
        precision=DIGITS,
        threshold=SHOWN,
        edgeitems=EDGE,
        max_line_width=max(WIDTH, indent + 40),
        separator=", ",
        prefix=" " * indent,
        floatmode="maxprec",
        suppress_small=False,
    )


def as_document(trace: Trace) -> dict[str, Any]:
    """Return the whole trace as JSON-able data."""
    return {
        "sample": trace.sample,
        "truth": trace.truth,
        "loss": trace.loss,
        "penalty": trace.penalty,
        "nodes": [
            {
                "node": node.name,
                "layer": node.layer,
                "op": node.op,
                "shape": list(node.shape),
                **{name: array.tolist() for name, array in trace.arrays[node.name].items()},
            }
            for node in trace.nodes
        ],
    }
