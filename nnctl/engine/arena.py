"""One aligned block of memory that holds everything a tape touches."""

from __future__ import annotations

import contextlib
import mmap

import numpy as np

ALIGNMENT = 64
HUGE = 1 << 21  # bytes of a large page, where the system has them
WORTH = 1 << 18  # bytes from which a block is worth one


def aligned(size: int) -> int:
    """Return ``size`` bytes rounded up to whole cache lines."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def _block(size: int, alignment: int) -> np.ndarray:
    """Return zeroed bytes; large blocks on large pages, because kernels stride over many rows."""
    if size < WORTH or not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.zeros(size + alignment, dtype=np.uint8)
    held = mmap.mmap(-1, -(-size // HUGE) * HUGE + alignment)
    with contextlib.suppress(OSError):  # a kernel without large pages
        held.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(held, dtype=np.uint8)


class Arena:
    """A zeroed block of ``size`` bytes; ``array`` gives typed views of it, by offset."""

    def __init__(self, size: int) -> None:
        alignment = HUGE if size >= WORTH else ALIGNMENT
        self._block = _block(size, alignment)
        skip = -self._block.ctypes.data % alignment
        self.bytes = self._block[skip : skip + size]
        self.address = self.bytes.ctypes.data

    def array(self, offset: int, count: int, dtype: np.dtype | type | str) -> np.ndarray:
        """Return a view of ``count`` elements at byte ``offset``."""
        size = count * np.dtype(dtype).itemsize
        return self.bytes[offset : offset + size].view(dtype)
