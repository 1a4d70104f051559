"""Parameters, slots and what layers keep as arrays in their own shapes, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnctl.errors import CheckpointError, Problem
from nnctl.graph.graph import State
from nnctl.plan.layout import Zone
from nnctl.plan.memory import Memory

_OTHER = "the file is of another network"
KEPT = "state"  # prefix, in files, of what layers keep


class Values:
    """Reads and writes the zones of a memory.

    ``slots`` maps a slot to its prefix in files; ``kept`` is the layout of what layers keep, its
    ``states`` by name.
    """

    def __init__(
        self,
        zone: Zone,
        memory: Memory,
        slots: Mapping[str, str],
        kept: Zone,
        states: Mapping[str, State],
    ) -> None:
        self.zone, self.memory, self.slots = zone, memory, dict(slots)
        self.kept, self.states = kept, dict(states)

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
            for name, values in self.read(slot).items():
                names = self._pieces(slot, name)
                parts = np.split(values, len(names), axis=-1) if len(names) > 1 else [values]
                found |= {f"{prefix}/{n}": part for n, part in zip(names, parts, strict=True)}
        return found

    def _pieces(self, zone: str, name: str) -> tuple[str, ...]:
        """The names under which files hold a tensor, or parts of its last axis."""
        return (zone == "kept" and self.states[name].pieces) or (name,)

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Load what ``tensors`` gave; without slots they are zero, without states at their start,
        and so are states of samples that come from batches of another size.

        Raises CheckpointError, naming every tensor that is missing or has another shape.
        """
        wanted = {"p": "param"}
        for name, prefix in {**self.slots, "kept": KEPT}.items():
            if any(key.startswith(f"{prefix}/") for key in tensors):
                wanted[name] = prefix
        given = {**tensors, **self._joined(tensors)}
        places = [
            (name, n, f"{prefix}/{n}", layout)
            for name, prefix in wanted.items()
            for n, layout in self._layout(name).layouts.items()
            if not (name == "kept" and self.states[n].of_samples and f"{prefix}/{n}" not in given)
        ]
        checked = [_misfit(key, tuple(layout.shape), given) for _, _, key, layout in places]
        problems = [problem for problem in checked if problem is not None]
        if problems:
            raise CheckpointError(problems)
        self.memory.version += 1
        self._start(self.slots.keys() - wanted.keys())
        for name, n, key, layout in places:
            part = self._layout(name).part(n, self.memory.zone(name))
            layout.pack(np.asarray(given[key]), part)

    def _joined(self, tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """States that files hold in pieces, where these are of as many samples as a batch has."""
        found = {}
        for name, state in self.states.items():
            pieces = [tensors.get(f"{KEPT}/{piece}") for piece in state.pieces]
            rows = self.kept.layouts[name].shape[0] if pieces else 0
            there = [piece for piece in pieces if piece is not None and len(piece) == rows]
            if pieces and len(there) == len(pieces):
                found[f"{KEPT}/{name}"] = np.concatenate(there, axis=-1)
        return found

    def _start(self, slots: set[str]) -> None:
        """Put slots, and the states, where they are before the first step."""
        for slot in slots:
            self.memory.zone(slot)[:] = 0
        for name, state in self.states.items():
            self.kept.part(name, self.memory.zone("kept"))[:] = state.initial


def _misfit(key: str, shape: tuple[int, ...], tensors: Mapping[str, np.ndarray]) -> Problem | None:
    if key not in tensors:
        return Problem(f'tensor "{key}" is missing', _OTHER)
    given = tuple(tensors[key].shape)
    if given != shape:
        return Problem(f'tensor "{key}" has shape {given}, the network needs {shape}', _OTHER)
    return None
