"""How many steps of every sample count: what kernels of sequences read as ``lengths``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.graph.graph import Node
from nnctl.ops import batch as ends
from nnctl.ops.registry import Call
from nnctl.plan.buffers import Buffer, Maker

if TYPE_CHECKING:
    from nnctl.plan.lower import Lowering

SEQUENCE = 2  # axes of a sequence: steps, channels


class Lengths:
    """The columns of lengths of one tape, each filled before the first call that reads it."""

    def __init__(self, make: Maker) -> None:
        self.make = make
        self.columns: dict[int, Buffer] = {}

    def of(self, node: Node) -> Buffer:
        """The lengths of a node's output, of which all samples have all steps."""
        steps = node.shape[0]
        if steps not in self.columns:
            self.columns[steps] = self.make.column(f"length.{steps}", "i")
        return self.columns[steps]

    def count(self, lowering: Lowering, column: Buffer) -> None:
        """Add the call that fills a column."""
        steps = next(steps for steps, known in self.columns.items() if known is column)
        call = Call(ends.full_length)
        lowering.add({"counts": column}, {"steps": steps}, call, column.name, "")
