"""A recurrent layer at its place: sizes, and the calls of both passes."""

from typing import NamedTuple

from nnctl.engine.kernel import Kernel
from nnctl.ops.dense import padded
from nnctl.ops.parts import cut, suits
from nnctl.ops.recurrent import Recurrence
from nnctl.ops.recurrent_start import learned_start
from nnctl.ops.recurrent_states import (
    carry_states,
    copy_states,
    odd,
    recurrent_masks,
    segments,
)
from nnctl.ops.recurrent_table import token_products
from nnctl.ops.recurrent_taught import teach
from nnctl.ops.registry import Call, Record, Site, Temporary

Names = dict[str, str | int | float | Temporary | Record]
CARRIED = "carried"  # the field, and the array, of a layer that goes on where it ended
TAUGHT = "teacher_forcing"  # the field of a layer whose second input is what is fed back to it
START = ("h0", "c0")  # the states of a start that is trained
OWN = 6  # parameters of its own that a cell may have, at most


class Form(NamedTuple):
    """How rows of a cell's trace lie, by the fields of a layer, in numbers."""

    units: int  # of the state
    columns: int  # of w
    apart: int = 0  # of u, where what it gives is kept apart from what w gives
    states: int = 1  # handed on: h, then others like it
    kept: int = 0  # others for the way back
    inner: int = 0  # sums of the product inside a step
    depth: int = 0  # of that product
    v: tuple[str, str] = ("zeros", "zeros")  # its weights, and what is added to it
    own: tuple[tuple[str, int], ...] = ()  # the cell's own parameters, and their numbers
    kind: int = 0  # which of its formulas the cell takes
    beside: bool = False  # its output is not h, but kept behind the ``depth`` numbers of v


class Layer:
    """A recurrent layer at its site."""

    def __init__(self, site: Site, form: Form, evaluation: bool) -> None:
        self.site, self.form, self.evaluation = site, form, evaluation
        steps, units, lanes = site.shapes[0][0], form.units, site.lanes
        self.tokens = int(site.fields.get("vocabulary", 0))  # 0: it reads numbers
        inputs = int(site.fields["inputs"]) if self.tokens else site.shapes[0][-1]
        wide, again = padded(form.columns, lanes), padded(form.apart, lanes)
        state, room = wide + again + padded(form.inner, lanes), padded(units, lanes)
        kept = state + form.states * room
        drops = not evaluation and float(site.fields["recurrent_dropout"]) > 0
        taught = self.has_teacher and not evaluation
        end, more = kept + padded(form.kept, lanes), drops or taught
        self.own = tuple(n for n, _ in form.own if n in site.parameters)
        self.g = Recurrence(
            steps, inputs, units, form.columns, form.apart or form.columns, wide if again else 0,
            state, kept, end if more else state, odd(end + more * room, lanes),
            2 if evaluation else steps + 1,
            int(site.fields["backward"]), int(site.fields["returns"] == "sequence"), form.kind,
            wide if self.tokens else 0, self._starts(), wide + again,
            form.inner, form.depth,
            sum(count for _, count in form.own), kept + form.depth if form.beside else state,
            int(taught),
        )  # fmt: skip
        self.g = self.g._replace(**self._cuts())
        self.segments = segments(self.g, form.states) if self.recomputes else [self.g]

    def _cuts(self) -> dict[str, int]:
        """Which weights are cut for the CPU's tiles, in training."""
        g = self.g
        of_w = not self.tokens and suits(self.site, g.inputs, g.columns)
        of_u = suits(self.site, g.units, g.columns_u)
        return {} if self.evaluation else {"cut_w": int(of_w), "cut_u": int(of_u)}

    def _starts(self) -> int:
        """How many states are given for the start: those of a second input, or all of them."""
        if self.carries or self.learns_start:
            return self.form.states
        return self.site.inputs[1] // self.form.units if self.has_start else 0

    @property
    def carries(self) -> bool:
        """Whether it starts where the batch before ended."""
        return any(self.site.fields.get(name, False) for name in ("stateful", CARRIED))

    @property
    def recomputes(self) -> bool:
        """Whether it keeps states at the starts of segments, and not all that a step gives."""
        return bool(self.site.fields.get("gradient_checkpointing")) and not self.evaluation

    @property
    def learns_start(self) -> bool:
        return START[0] in self.site.parameters and not self.carries

    @property
    def has_teacher(self) -> bool:
        return len(self.site.inputs) > 1 and bool(self.site.fields.get(TAUGHT, False))

    @property
    def has_start(self) -> bool:
        return len(self.site.inputs) > 1 and not self.has_teacher

    def _start(self, g: Recurrence) -> Names:
        """Where the states for the start lie: a segment's with those that are kept."""
        if g.first or g.start_at:
            return {"start": "trace", "start_ld": self._row}
        if self.carries:
            return {"start": CARRIED, "start_ld": self._states}
        if self.learns_start:
            return {"start": Temporary("start", self._states), "start_ld": 0}
        given: Names = {"start": "x1", "start_ld": "x1_ld"}
        return given if self.has_start else {"start": "zeros", "start_ld": 0}

    @property
    def _row(self) -> int:
        """Numbers of a sample's kept states: those after each segment, and those carried to it, in
        whose place others are before the way back."""
        return (len(self.segments) + self.carries) * self._states

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

    def forward(self, kernel: Kernel, steps: list[Call] | None = None) -> list[Call]:
        """The calls of the cell's forward kernel, one for each segment, or others for all steps."""
        made = [self._copied(CARRIED, "trace", 0, self._last)] if self._saves_start else []
        made += steps or []
        for number, g in enumerate(self.segments if steps is None else []):
            made.append(self.segment(kernel, g))
            if self.recomputes:
                at = number * self._states
                where: Names = {"carried": "trace", "carried_ld": self._row, "at": at}
                named: Names = {"g": g, "states": self.form.states, "trace": self.trace}
                made.append(Call(carry_states, named | where))
        carry = self.carry() if self.evaluation else []
        return [*self.products(), *self.cuts(), *self.learned(), *self.masks(), *made, *carry]

    def segment(self, kernel: Kernel, g: Recurrence) -> Call:
        """The call of the forward kernel for a segment."""
        names: Names = {"g": g, "trace": self.trace, **self._start(g), **self.of_cell()}
        biases = ("b", "b_h")
        names |= {n: "zeros" for n in biases if n in self.own or n not in self.site.parameters}
        names |= {name: parts for name, (_, parts) in self._parts().items()}
        return Call(kernel, names | self._w())

    def of_cell(self) -> Names:
        """The cell's own parameters, and those of the product inside a step."""
        names: Names = {f"own{k}": "zeros" for k in range(OWN)}
        names |= {f"own{k}": n for k, (n, _) in enumerate(self.form.own) if n in self.own}
        v, b_v = self.form.v
        has_bias = b_v in self.site.parameters
        return {**names, "v": v, "b_v": b_v if has_bias else "zeros"}

    def learned(self) -> list[Call]:
        """Put the states that are trained side by side."""
        if not self.learns_start:
            return []
        start = Temporary("start", self._states)
        made: Names = {"start": start, "units": self.g.units, "states": self.g.starts}
        given: Names = {"c0": "h0"} if self.g.starts == 1 else {}
        return [Call(learned_start, made | given)]

    def kept_start(self, g: Recurrence) -> Recurrence:
        """A segment as it is taken again: what was carried to the first one is kept, too."""
        return g._replace(start_at=self._last) if self._saves_start and not g.first else g

    def masks(self) -> list[Call]:
        """Draw the masks of recurrent dropout, or put in place what is taught."""
        if self.g.taught:
            return [Call(teach, {"g": self.g, "tokens": int(len(self.site.shapes[1]) == 1)})]
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
        return [Call(carry_states, {"g": self.g, "states": self.form.states, **whole})]

    @property
    def _states(self) -> int:
        """Numbers of all states of a sample."""
        return self.form.states * self.form.units

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

    def _parts(self) -> dict[str, tuple[Call, Temporary]]:
        """How weights are cut for the CPU's tiles, and where they are then."""
        g = self.g
        sizes = {"w": (g.cut_w, g.inputs, g.columns), "u": (g.cut_u, g.units, g.columns_u)}
        return {n: cut(n, n, depth, columns) for n, (on, depth, columns) in sizes.items() if on}

    def cuts(self) -> list[Call]:
        """Cut the weights that go over the CPU's tiles."""
        return [call for call, _ in self._parts().values()]

    def _w(self) -> Names:
        """What stands for w where tokens are read."""
        return {"w": Temporary("products", self.tokens * self.g.table)} if self.tokens else {}

    def products(self) -> list[Call]:
        """Where tokens are read: the table times w."""
        if not self.tokens:
            return []
        made: Names = {"products": self._w()["w"], "vocabulary": self.tokens, "g": self.g}
        without = "b" in self.own or "b" not in self.site.parameters
        return [Call(token_products, made | ({"b": "zeros"} if without else {}))]
