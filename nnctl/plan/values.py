"""Parameters, slots and what layers keep as arrays in their own shapes, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnctl.errors import CheckpointError, Problem
from nnctl.plan.layout import Zone
from nnctl.plan.memory import Memory

_OTHER = "the file is of another network"
KEPT = "state"  # prefix, in files, of what layers keep


class Values:
    """Reads and writes the zones of a memory.

    ``slots`` maps a slot to its prefix in files; ``kept`` is the layout of what layers keep, and
    ``initial`` what it is before the first step.
    """

    def __init__(
        self,
        zone: Zone,
        memory: Memory,
        slots: Mapping[str, str],
        kept: Zone,
        initial: Mapping[str, float],
    ) -> None:
        self.zone, self.memory, self.slots = zone, memory, dict(slots)
        self.kept, self.initial = kept, dict(initial)

    def _layout(self, name: str) -> Zone:
        return self.kept if name == "kept" else self.zone

    def read(self, name: str) -> dict[str, np.ndarray]:
        """Return copies of all parts of a zone, by parameter or state, in canonical shapes."""
        held, zone = self.memory.zone(name), self._layout(name)
        return {n: lay.unpack(zone.part(n, held)) for n, lay in zone.layouts.items()}

    def tensors(self) -> dict[str, np.ndarray]:
        """Return ``param/NAME``, the slots' ``PREFIX/NAME``, and ``state/NAME``."""
        found = {f"param/{n}": v for n, v in self.read("p").items()}
        for slot, prefix in {**self.slots, "kept": KEPT}.items():
            found |= {f"{prefix}/{n}": v for n, v in self.read(slot).items()}
        return found

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Load what ``tensors`` gave; without slots they are zero, without states at their start.

        Raises CheckpointError, naming every tensor that is missing or has another shape.
        """
        wanted = {"p": "param"}
        for name, prefix in {**self.slots, "kept": KEPT}.items():
            if any(key.startswith(f"{prefix}/") for key in tensors):
                wanted[name] = prefix
        checked = [
            _misfit(f"{prefix}/{n}", tuple(layout.shape), tensors)
            for name, prefix in wanted.items()
            for n, layout in self._layout(name).layouts.items()
        ]
        problems = [problem for problem in checked if problem is not None]
        if problems:
            raise CheckpointError(problems)
        self._start(self.slots.keys() - wanted.keys(), "kept" not in wanted)
        for name, prefix in wanted.items():
            held, zone = self.memory.zone(name), self._layout(name)
            for n, layout in zone.layouts.items():
                layout.pack(np.asarray(tensors[f"{prefix}/{n}"]), zone.part(n, held))

    def _start(self, slots: set[str], states: bool) -> None:
        """Put slots, and the states, where they are before the first step."""
        for slot in slots:
            self.memory.zone(slot)[:] = 0
        for name, value in self.initial.items() if states else ():
            self.kept.part(name, self.memory.zone("kept"))[:] = value


def _misfit(key: str, shape: tuple[int, ...], tensors: Mapping[str, np.ndarray]) -> Problem | None:
    if key not in tensors:
        return Problem(f'tensor "{key}" is missing', _OTHER)
    given = tuple(tensors[key].shape)
    if given != shape:
        return Problem(f'tensor "{key}" has shape {given}, the network needs {shape}', _OTHER)
    return None
