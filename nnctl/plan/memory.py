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

    ``state`` names the parameter-shaped zones that steps move (parameters and slots); ``kept`` is
    the layout of what layers keep, which follows them as the zone "kept". ``others`` are the
    parameter-shaped zones that a step may forget.
    """

    def __init__(
        self,
        zone: Zone,
        state: Sequence[str],
        kept: Zone,
        others: Sequence[str],
        constants: Sequence[Buffer],
        places: Mapping[str, int],
        dtype: np.dtype,
    ) -> None:
        self._dtype, self._places = dtype, places
        self.words_at = control.WORDS * WORD
        at = aligned(self.words_at + WORD * max(len(places), 1))
        self._zones: dict[str, tuple[int, int]] = {}  # where, elements
        own = [(name, zone.elements) for name in state] + [("kept", kept.elements)]
        for name, elements in [*own, *((name, zone.elements) for name in others)]:
            self._zones[name] = at, elements
            at += aligned(elements * dtype.itemsize)
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
        self.version = 0  # of parameters and states: another one whenever they may have changed

    @property
    def bytes(self) -> int:
        return len(self._arena.bytes)

    def word(self, offset: int) -> int:
        return int(self._words[offset // WORD])

    def set_word(self, offset: int, value: int) -> None:
        self._words[offset // WORD] = value

    def set_words(self, offset: int, values: Sequence[int]) -> None:
        """Set words that follow each other."""
        first = offset // WORD
        self._words[first : first + len(values)] = values

    def set_place(self, name: str, array: np.ndarray) -> None:
        """Say where a resident array lies now."""
        self.set_word(self.words_at + WORD * self._places[name], array.ctypes.data)

    def zone(self, name: str) -> np.ndarray:
        """Return a whole zone: ``p``, ``g``, ``kept``, or a slot."""
        offset, elements = self._zones[name]
        return self._arena.array(offset, elements, self._dtype)

    def zone_address(self, name: str) -> int:
        return self.address + self._zones[name][0]

    def state(self) -> np.ndarray:
        """Return all that steps move as one array of bytes: parameters, slots, what layers keep."""
        first, _ = next(iter(self._zones.values()))
        last, elements = self._zones["kept"]
        end = last + aligned(elements * self._dtype.itemsize)
        return self._arena.array(first, end - first, np.uint8)

    def constant(self, buffer: Buffer) -> np.ndarray:
        """Return a constant buffer's elements, to be filled."""
        kind = np.float64 if buffer.dtype == "d" else self._dtype
        return self._arena.array(self._held[buffer], buffer.elements, kind)

    def view(self, offset: int, count: int) -> np.ndarray:
        """Return ``count`` numbers at a byte offset."""
        return self._arena.array(offset, count, self._dtype)
