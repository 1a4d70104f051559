"""What all tapes of a plan share: control words, places of resident arrays, zones, constants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnctl.engine import control
from nnctl.engine.arena import Arena, aligned
from nnctl.plan.buffers import Buffer
from nnctl.plan.layout import Zone

WORD = 8


class Memory:
    """Lays out one block and gives typed views of it.

    ``zones``: names of the parameter-shaped zones, the state (parameters and slots) first.
    """

    def __init__(
        self,
        zone: Zone,
        state: Sequence[str],
        others: Sequence[str],
        constants: Sequence[Buffer],
        places: Mapping[str, int],
        dtype: np.dtype,
    ) -> None:
        self._dtype, self._elements, self._state = dtype, zone.elements, len(state)
        self._places = places
        self.words_at = control.WORDS * WORD
        at = aligned(self.words_at + WORD * max(len(places), 1))
        self._zones = {}
        for name in (*state, *others):
            self._zones[name] = at
            at += aligned(zone.elements * dtype.itemsize)
        held = {}
        for buffer in constants:
            held[buffer] = at
            at += buffer.bytes
        self._arena = Arena(at)
        self._words = self._arena.array(0, control.WORDS + max(len(places), 1), np.int64)
        self.address = self._arena.address
        for buffer, offset in held.items():
            buffer.address = self.address + offset
        self._held = held

    @property
    def bytes(self) -> int:
        return len(self._arena.bytes)

    def word(self, offset: int) -> int:
        return int(self._words[offset // WORD])

    def set_word(self, offset: int, value: int) -> None:
        self._words[offset // WORD] = value

    def set_place(self, name: str, array: np.ndarray) -> None:
        """Say where a resident array lies now."""
        self.set_word(self.words_at + WORD * self._places[name], array.ctypes.data)

    def zone(self, name: str) -> np.ndarray:
        """Return a whole zone: ``p``, ``g``, or a slot."""
        return self._arena.array(self._zones[name], self._elements, self._dtype)

    def zone_address(self, name: str) -> int:
        return self.address + self._zones[name]

    def state(self) -> np.ndarray:
        """Return parameters and slots as one array of bytes."""
        first = next(iter(self._zones.values()))
        return self._arena.array(
            first, self._state * aligned(self._elements * self._dtype.itemsize), np.uint8
        )

    def constant(self, buffer: Buffer) -> np.ndarray:
        """Return a constant buffer's elements, to be filled."""
        kind = np.float64 if buffer.dtype == "d" else self._dtype
        return self._arena.array(self._held[buffer], buffer.elements, kind)

    def view(self, offset: int, count: int) -> np.ndarray:
        """Return ``count`` numbers at a byte offset."""
        return self._arena.array(offset, count, self._dtype)
