"""One aligned block of memory that holds everything a tape touches."""

from __future__ import annotations

import numpy as np

ALIGNMENT = 64


def aligned(size: int) -> int:
    """Return ``size`` bytes rounded up to whole cache lines."""
    return -(-size // ALIGNMENT) * ALIGNMENT


class Arena:
    """A zeroed block of ``size`` bytes; ``array`` gives typed views of it, by offset."""

    def __init__(self, size: int) -> None:
        self._block = np.zeros(size + ALIGNMENT, dtype=np.uint8)
        skip = -self._block.ctypes.data % ALIGNMENT
        self.bytes = self._block[skip : skip + size]
        self.address = self.bytes.ctypes.data

    def array(self, offset: int, count: int, dtype: np.dtype | type | str) -> np.ndarray:
        """Return a view of ``count`` elements at byte ``offset``."""
        size = count * np.dtype(dtype).itemsize
        return self.bytes[offset : offset + size].view(dtype)
