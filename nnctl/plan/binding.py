"""Ties a kernel's argument names to what they mean at one node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnctl.engine.kernel import Kernel, Sizes
from nnctl.engine.op import IMPLICIT
from nnctl.ops.registry import Call, Temporary
from nnctl.plan.buffers import Buffer
from nnctl.plan.steps import Flat, Rate, Step, Table, Value, field_value, names_of

_DERIVED = {"_ld": "ld", "_width": "width"}


class Binder:
    """Makes steps of calls. ``arrays`` maps names to buffers, ``fields`` to numbers."""

    def __init__(
        self,
        arrays: Mapping[str, Value],
        fields: Mapping[str, Any],
        capacity: int,
        lanes: int,
        temporary: Callable[[Temporary], Buffer],
        written: set[Buffer],
    ) -> None:
        self.arrays, self.fields = arrays, fields
        self.capacity, self.lanes = capacity, lanes
        self.temporary, self.written = temporary, written

    def step(self, call: Call, label: str) -> Step:
        """Bind every argument of the call's kernel."""
        values: dict[str, Value] = {}
        for name in names_of(call.kernel):
            if name in IMPLICIT and name not in call.bind:
                continue
            values[name] = self._value(name, call)
        for name in call.kernel.writes:
            value = values.get(name)
            if isinstance(value, Buffer):
                self.written.add(value)
        numbers = {n: v for n, v in values.items() if isinstance(v, int | tuple)}
        widths = {n: v.width for n, v in values.items() if isinstance(v, Buffer | Table)}
        return Step(call.kernel, values, Sizes(self.capacity, self.lanes, numbers | widths), label)

    def _value(self, name: str, call: Call) -> Value:
        given = call.bind.get(name, name)
        if isinstance(given, Temporary):
            return self.temporary(given)
        if not isinstance(given, str):
            return given
        if given in self.arrays:
            return self.arrays[given]
        if given == "capacity":
            return self.capacity
        if given.endswith("_accumulates"):
            target = self._value(given.removesuffix("_accumulates"), call)
            return int(target in self.written)
        for ending, attribute in _DERIVED.items():
            if given.endswith(ending):
                value = self._value(given.removesuffix(ending), call)
                if isinstance(value, Buffer | Table):
                    return int(getattr(value, attribute))
        if given in self.fields:
            return field_value(self.fields[given])
        raise KeyError(f"kernel {call.kernel.name} asks for {given!r}, which nothing provides")


def flat_step(
    kernel: Kernel,
    zones: Mapping[str, Buffer],
    rates: Mapping[str, int],
    fields: Mapping[str, Any],
    label: str,
) -> Step:
    """Bind an update rule's kernel to the parameter zones."""
    values: dict[str, Value] = {}
    for name in names_of(kernel):
        if name in zones:
            values[name] = Flat(zones[name])
        elif name in rates:
            values[name] = Rate(rates[name])
        else:
            values[name] = field_value(fields[name])
    return Step(kernel, values, Sizes(0, 0, {}), label)
