"""How many steps of every sample count: what kernels of sequences read as ``lengths``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnctl.graph.graph import LengthsOf, Node
from nnctl.ops import batch as ends
from nnctl.ops.registry import Call
from nnctl.plan.buffers import Buffer, Maker

if TYPE_CHECKING:
    from nnctl.plan.lower import Lowering


class Lengths:
    """The columns of lengths of one tape, each filled before the first call that reads it.

    A column is known by the lengths that it holds, or by the number of steps that all samples have.
    """

    def __init__(self, make: Maker) -> None:
        self.make = make
        self.columns: dict[LengthsOf | int, Buffer] = {}

    def of(self, node: Node) -> Buffer:
        """The lengths of a node's output."""
        return self._column(node.shape[0] if node.lengths is None else node.lengths)

    def _column(self, key: LengthsOf | int) -> Buffer:
        if key not in self.columns:
            name = f"lengths.{key if isinstance(key, int) else key.input}"
            self.columns[key] = self.make.column(name, "i")
        return self.columns[key]

    def fill(self, lowering: Lowering, column: Buffer) -> None:
        """Add the calls that fill a column, those that it is made of first."""
        key = next(key for key, known in self.columns.items() if known is column)
        if column in lowering.written:
            return
        if isinstance(key, int):
            call = Call(ends.full_length, {"steps": key})
            lowering.add({"counts": column}, {}, call, column.name, "")
        elif key.through:
            given = self._column(replace(key, through=key.through[:-1]))
            self.fill(lowering, given)
            call = Call(ends.lengths_behind, key.through[-1]._asdict())
            lowering.add({"counts": column, "given": given}, {}, call, column.name, "")
        else:
            source = lowering.table(f"lengths.{key.input}", 1, "i")
            arrays = {"labels": column, "source": source}
            lowering.add(arrays, {}, Call(ends.gather_labels), column.name, "")
