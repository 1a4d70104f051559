"""How many steps of every sample count: what kernels of sequences read as ``lengths``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.graph.graph import Node
from nnctl.ops import batch as ends
from nnctl.ops.registry import Call
from nnctl.plan.buffers import Buffer, Maker

if TYPE_CHECKING:
    from nnctl.plan.lower import Lowering


class Lengths:
    """The columns of lengths of one tape, each filled before the first call that reads it.

    A column has the name of the input whose samples it measures, or the number of steps that all
    samples have.
    """

    def __init__(self, make: Maker) -> None:
        self.make = make
        self.columns: dict[str | int, Buffer] = {}

    def of(self, node: Node) -> Buffer:
        """The lengths of a node's output."""
        key = node.shape[0] if node.lengths is None else node.lengths
        if key not in self.columns:
            self.columns[key] = self.make.column(f"lengths.{key}", "i")
        return self.columns[key]

    def fill(self, lowering: Lowering, column: Buffer) -> None:
        """Add the call that fills a column."""
        key = next(key for key, known in self.columns.items() if known is column)
        if isinstance(key, int):
            call = Call(ends.full_length, {"steps": key})
            lowering.add({"counts": column}, {}, call, column.name, "")
        else:
            source = lowering.table(f"lengths.{key}", 1, "i")
            arrays = {"labels": column, "source": source}
            lowering.add(arrays, {}, Call(ends.gather_labels), column.name, "")
