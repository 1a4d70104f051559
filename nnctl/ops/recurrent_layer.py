"""A recurrent layer at its place: sizes, and the calls of both passes."""

from collections.abc import Callable, Mapping
from typing import Any

from nnctl.engine.kernel import Kernel, tiles
from nnctl.ops.dense import padded
from nnctl.ops.recurrent import Recurrence, back_room, backward, forward, shard, work
from nnctl.ops.recurrent_back import way_back
from nnctl.ops.recurrent_states import (
    carry_states,
    copy_states,
    odd,
    recurrent_masks,
    segments,
)
from nnctl.ops.recurrent_table import token_products
from nnctl.ops.registry import Call, Record, Site, Temporary, register

Names = dict[str, str | int | float | Temporary | Record]
CARRIED = "carried"  # the array of a layer that goes on where it ended


class Layer:
    """A recurrent layer at its site: ``gates`` products a step, and ``kept`` numbers a unit behind
    them in a row of the trace, of which the state is the first.

    ``tables``: 2 where the products with the input and with the state are kept apart.
    """

    def __init__(
        self,
        site: Site,
        gates: int,
        kept: int,
        tables: int,
        evaluation: bool,
        kind: int,
    ) -> None:
        self.site, self.evaluation, self.kept = site, evaluation, kept
        steps, units = site.shapes[0][0], int(site.fields["units"])
        self.tokens = int(site.fields.get("vocabulary", 0))  # 0: it reads numbers
        inputs = int(site.fields["inputs"]) if self.tokens else site.shapes[0][-1]
        wide = padded(gates * units, site.lanes)
        state, room = tables * wide, padded(units, site.lanes)
        drops = not evaluation and float(site.fields["recurrent_dropout"]) > 0
        handed = state + kept * room if drops else state
        self.g = Recurrence(
            steps, inputs, units, gates * units, state - wide, state, handed,
            odd(state + (kept + drops) * room, site.lanes),
            2 if evaluation else steps + 1,
            int(site.fields["backward"]), int(site.fields["returns"] == "sequence"), kind,
            wide if self.tokens else 0, self._starts(kept),
        )  # fmt: skip
        self.segments = segments(self.g, kept) if self.recomputes else [self.g]

    def _starts(self, kept: int) -> int:
        """How many states are given for the start: those of a second input, or all, carried on."""
        if self.carries:
            return kept
        return self.site.inputs[1] // int(self.site.fields["units"]) if self.has_start else 0

    @property
    def carries(self) -> bool:
        """Whether it starts where the batch before ended."""
        return any(self.site.fields.get(name, False) for name in ("stateful", CARRIED))

    @property
    def recomputes(self) -> bool:
        """Whether it keeps states at the starts of segments, and not all that a step gives."""
        return bool(self.site.fields.get("gradient_checkpointing")) and not self.evaluation

    @property
    def has_start(self) -> bool:
        return len(self.site.inputs) > 1

    def _start(self, g: Recurrence) -> Names:
        """Where the states for the start lie: a segment's with those that are kept."""
        if g.first or g.start_at:
            return {"start": "trace", "start_ld": self._row}
        if self.carries:
            return {"start": CARRIED, "start_ld": self.g.starts * self.g.units}
        given: Names = {"start": "x1", "start_ld": "x1_ld"}
        return given if self.has_start else {"start": "zeros", "start_ld": 0}

    @property
    def _row(self) -> int:
        """Numbers of a sample's kept states: those after each segment, and those carried to it, in
        whose place others are before the way back."""
        return (len(self.segments) + self.carries) * self.kept * self.g.units

    @property
    def trace(self) -> str | Temporary:
        """Where the trace lies: for all steps until the way back, or of those under way."""
        if self.recomputes or self.evaluation:
            g = self.segments[0]
            return Temporary("trace", self.site.capacity * g.rows * g.width)
        return "trace"

    @property
    def elements(self) -> int:
        """Numbers that are kept for the way back."""
        if self.recomputes:
            return self.site.capacity * self._row
        return self.site.capacity * self.g.rows * self.g.width

    def forward(self, kernel: Kernel) -> list[Call]:
        """The calls of the cell's forward kernel, one for each segment."""
        made = [self._copied(CARRIED, "trace", 0, self._last)] if self._saves_start else []
        for number, g in enumerate(self.segments):
            made.append(self.segment(kernel, g))
            if self.recomputes:
                at = number * self.kept * g.units
                where: Names = {"carried": "trace", "carried_ld": self._row, "at": at}
                named: Names = {"g": g, "states": self.kept, "trace": self.trace}
                made.append(Call(carry_states, named | where))
        carry = self.carry() if self.evaluation else []
        return [*self.products(), *self.masks(), *made, *carry]

    def segment(self, kernel: Kernel, g: Recurrence) -> Call:
        names: Names = {"g": g, "trace": self.trace, **self._start(g)}
        names |= {name: "zeros" for name in ("b", "b_h") if name not in self.site.parameters}
        return Call(kernel, names | self._w())

    def kept_start(self, g: Recurrence) -> Recurrence:
        """A segment as it is taken again: what was carried to the first one is kept, too."""
        return g._replace(start_at=self._last) if self._saves_start and not g.first else g

    def masks(self) -> list[Call]:
        if self.g.handed == self.g.state:
            return []
        return [Call(recurrent_masks, {"g": self.segments[0], "trace": self.trace})]

    def carry(self) -> list[Call]:
        """Keep the last states of a batch for the next one to start from."""
        if not self.carries:
            return []
        if self.recomputes:
            return [self._copied("trace", CARRIED, self._last - self._states, 0)]
        whole: Names = {"carried_ld": self._states, "at": 0, "trace": self.trace}
        return [Call(carry_states, {"g": self.g, "states": self.kept, **whole})]

    @property
    def _states(self) -> int:
        """Numbers of all states of a sample."""
        return self.kept * self.g.units

    @property
    def _saves_start(self) -> bool:
        return self.carries and self.recomputes

    @property
    def _last(self) -> int:
        """Where in a row of kept states those after the last segment end."""
        return len(self.segments) * self._states

    def _copied(self, source: str, target: str, source_at: int, target_at: int) -> Call:
        names: Names = {"source": source, "target": target, "count": self._states}
        names |= {"source_at": source_at, "target_at": target_at}
        for name, array in (("source_ld", source), ("target_ld", target)):
            names[name] = self._row if array == "trace" else self._states
        return Call(copy_states, names)

    def _w(self) -> Names:
        """What stands for w where tokens are read."""
        return {"w": Temporary("products", self.tokens * self.g.table)} if self.tokens else {}

    def products(self) -> list[Call]:
        """Where tokens are read: the table times w."""
        if not self.tokens:
            return []
        made: Names = {"products": self._w()["w"], "vocabulary": self.tokens, "g": self.g}
        none: Names = {} if "b" in self.site.parameters else {"b": "zeros"}
        return [Call(token_products, made | none)]


def _kernels(tag: str, cell: Any, cell_back: Any) -> tuple[Kernel, Kernel]:
    """The loops over steps around the two functions of a cell."""

    def run(
        x, x_ld, w, u, b, b_h, start, start_ld, y, y_ld, trace, lengths, g, first_row, last_row,
        product1, product2, unit,
    ):  # fmt: skip
        forward(
            cell, x, x_ld, w, u, b, b_h, start, start_ld, y, y_ld, trace, lengths, g, first_row,
            last_row, product1, product2, unit,
        )  # fmt: skip

    def back(
        dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, dend, dend_ld, u_turned, w_turned,
        trace, lengths, zeros, g, scratch, first_row, last_row, product1, product2, unit,
    ):  # fmt: skip
        backward(
            cell_back, dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, dend, dend_ld, u_turned,
            w_turned, trace, lengths, zeros, g, scratch, first_row, last_row, product1, product2,
            unit,
        )  # fmt: skip

    run.__name__, back.__name__ = f"{tag}_forward", f"{tag}_backward"
    by_samples: Any = {"split": shard, "work": work}
    return (
        tiles("y trace", rowwise="x start", **by_samples)(run),
        tiles("dx trace dstart", rowwise="dy dend", scratch=back_room, **by_samples)(back),
    )


def register_cell(
    tag: str,
    cell: Any,
    cell_back: Any,
    *,
    gates: int,
    kept: int,
    tables: int = 1,
    kind: Callable[[Mapping[str, Any]], int] = lambda fields: 0,
) -> None:
    """Say how recurrent layers of type ``tag`` run: by the two functions of a row that ``forward``
    and ``backward`` of recurrent.py take; the numbers are those of ``Layer``."""
    run, back = _kernels(tag, cell, cell_back)

    def layer(site: Site, evaluation: bool = False) -> Layer:
        return Layer(site, gates, kept, tables, evaluation, kind(site.fields))

    register(
        tag,
        lambda site: layer(site).forward(run),
        lambda site: way_back(layer(site), back, run),
        evaluate=lambda site: layer(site, evaluation=True).forward(run),
        keep=lambda site: layer(site).carry(),
        saved={"trace": lambda site: layer(site).elements},
        layouts={"w": "panels", "u": "panels"},
    )
