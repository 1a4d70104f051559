"""Parameters and slots as arrays in their own shapes, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnctl.errors import CheckpointError, Problem
from nnctl.plan.layout import Zone
from nnctl.plan.memory import Memory

_OTHER = "the file is of another network"


class Values:
    """Reads and writes the zones of a memory. ``slots`` maps a slot to its prefix in files."""

    def __init__(self, zone: Zone, memory: Memory, slots: Mapping[str, str]) -> None:
        self.zone, self.memory, self.slots = zone, memory, dict(slots)

    def read(self, name: str) -> dict[str, np.ndarray]:
        """Return copies of all parts of a zone, by parameter, in canonical shapes."""
        held = self.memory.zone(name)
        return {n: lay.unpack(self.zone.part(n, held)) for n, lay in self.zone.layouts.items()}

    def tensors(self) -> dict[str, np.ndarray]:
        """Return ``param/NAME`` and the slots' ``PREFIX/NAME``."""
        found = {f"param/{n}": v for n, v in self.read("p").items()}
        for slot, prefix in self.slots.items():
            found |= {f"{prefix}/{n}": v for n, v in self.read(slot).items()}
        return found

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Load what ``tensors`` gave; slots that are left out start at zero.

        Raises CheckpointError, naming every tensor that is missing or has another shape.
        """
        wanted = {"p": "param"}
        for slot, prefix in self.slots.items():
            if any(name.startswith(f"{prefix}/") for name in tensors):
                wanted[slot] = prefix
        keys = [(f"{prefix}/{n}", n) for prefix in wanted.values() for n in self.zone.layouts]
        problems = [p for key, n in keys if (p := self._misfit(key, n, tensors)) is not None]
        if problems:
            raise CheckpointError(problems)
        for slot in self.slots.keys() - wanted.keys():
            self.memory.zone(slot)[:] = 0
        for name, prefix in wanted.items():
            held = self.memory.zone(name)
            for n, layout in self.zone.layouts.items():
                layout.pack(np.asarray(tensors[f"{prefix}/{n}"]), self.zone.part(n, held))

    def _misfit(self, key: str, name: str, tensors: Mapping[str, np.ndarray]) -> Problem | None:
        shape = tuple(self.zone.layouts[name].shape)
        if key not in tensors:
            return Problem(f'tensor "{key}" is missing', _OTHER)
        given = tuple(tensors[key].shape)
        if given != shape:
            return Problem(f'tensor "{key}" has shape {given}, the network needs {shape}', _OTHER)
        return None
