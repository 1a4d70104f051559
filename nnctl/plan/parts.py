"""A part of the data that tapes can read: arrays as kernels want them, and where they are named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """Inputs and their lengths by input name, targets by output name, of ``count`` samples."""

    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    lengths: dict[str, np.ndarray]
    counts: dict[str, np.ndarray]  # steps that count, by output, where targets are over steps
    count: int

    def rows(self, chosen: np.ndarray | None) -> np.ndarray:
        """Return row numbers as kernels read them, who look at no bounds; None: all."""
        if chosen is None:
            return np.arange(self.count)
        rows = np.asarray(chosen, dtype=np.int64)
        if len(rows) and not 0 <= rows.min() <= rows.max() < self.count:
            raise IndexError(f"rows from {rows.min()} to {rows.max()}, of {self.count} samples")
        return rows

    def places(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the arrays by the names of their places in memory."""
        kinds = {"input": self.inputs, "target": self.targets, "lengths": self.lengths}
        for kind, arrays in kinds.items():
            for name, array in arrays.items():
                yield f"{kind}.{name}", array
