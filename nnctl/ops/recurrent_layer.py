"""A recurrent layer at its place: sizes, and the calls of both passes."""

from collections.abc import Callable, Mapping
from typing import Any

from nnctl.engine.intrinsics import lanes_of, size_of, view2
from nnctl.engine.kernel import Kernel, tiles
from nnctl.engine.maths import like
from nnctl.ops.conv_core import copy
from nnctl.ops.conv_kernels import conv_turn, weight_elements
from nnctl.ops.dense import columns_of, padded
from nnctl.ops.dropout import masked
from nnctl.ops.geometry import geometry
from nnctl.ops.recurrent import Recurrence, back_room, backward, forward, row, shard, work
from nnctl.ops.recurrent_sums import recurrent_bias, recurrent_gradient
from nnctl.ops.recurrent_table import table_gradient, token_products, token_sums
from nnctl.ops.registry import Call, Record, Site, Temporary, register
from nnctl.ops.windows import Axis

Names = dict[str, str | int | float | Temporary | Record]
CARRIED = "carried"  # the array of a layer that goes on where it ended


@tiles("trace", split=shard)
def recurrent_masks(
    trace, g, recurrent_dropout, step, seed, stream, first_row, last_row, unit
):  # fmt: skip
    """Put each sample's mask, 0 or 1 / (1 - rate) for each unit, into its row 0."""
    start = row(trace, first_row, 0, g, size_of(unit))
    rows = view2(start, last_row - first_row, g.rows * g.width, unit)
    for i in range(rows.shape[0]):
        for j in range(g.units):
            rows[i, j] = like(1, unit)
    masked(rows, rows, g.units, recurrent_dropout, step, seed, stream, first_row, unit)


@tiles("carried", split=shard, rowwise="trace")
def carry_states(trace, carried, g, states, first_row, last_row, unit):
    """carried = the states after the last step, those of a sample in a row."""
    size, room = size_of(unit), columns_of(g.units, lanes_of(unit))
    for r in range(first_row, last_row):
        at = row(trace, r, g.steps, g, size) + size * g.state
        out = carried + size * r * states * g.units
        for s in range(states):
            copy(at + size * s * room, out + size * s * g.units, g.units, unit)


def _odd(width: int, lanes: int) -> int:
    """Whole vectors, an odd number of them: rows a power of two apart share sets of the cache."""
    vectors = -(-width // lanes)
    return (vectors + 1 - vectors % 2) * lanes


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
        self.site, self.evaluation = site, evaluation
        steps, units = site.shapes[0][0], int(site.fields["units"])
        self.tokens = int(site.fields.get("vocabulary", 0))  # 0: it reads numbers
        inputs = int(site.fields["inputs"]) if self.tokens else site.shapes[0][-1]
        wide = padded(gates * units, site.lanes)
        state, room = tables * wide, padded(units, site.lanes)
        drops = not evaluation and float(site.fields["recurrent_dropout"]) > 0
        handed = state + kept * room if drops else state
        self.g = Recurrence(
            steps, inputs, units, gates * units, state - wide, state, handed,
            _odd(state + (kept + drops) * room, site.lanes),
            2 if evaluation else steps + 1,
            int(site.fields["backward"]), int(site.fields["returns"] == "sequence"), kind,
            wide if self.tokens else 0, self._starts(kept),
        )  # fmt: skip

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
    def has_start(self) -> bool:
        return len(self.site.inputs) > 1

    def _start(self) -> Names:
        """Where the states for the start lie."""
        if self.carries:
            return {"start": CARRIED, "start_ld": self.g.starts * self.g.units}
        given: Names = {"start": "x1", "start_ld": "x1_ld"}
        return given if self.has_start else {"start": "zeros", "start_ld": 0}

    @property
    def elements(self) -> int:
        """Numbers of the traces of a batch."""
        return self.site.capacity * self.g.rows * self.g.width

    def forward(self, kernel: Kernel) -> list[Call]:
        """The call of the cell's forward kernel."""
        names: Names = {"g": self.g, **self._start()}
        names |= {name: "zeros" for name in ("b", "b_h") if name not in self.site.parameters}
        if self.evaluation:
            names["trace"] = Temporary("trace", self.elements)
        masks = [Call(recurrent_masks, {"g": self.g})] if self.g.handed != self.g.state else []
        carry = self.carry() if self.evaluation else []
        return [*self._products(names), *masks, Call(kernel, names), *carry]

    def carry(self) -> list[Call]:
        """Keep the last states of a batch for the next one to start from."""
        if not self.carries:
            return []
        names: Names = {"g": self.g, "states": self.g.starts}
        if self.evaluation:
            names["trace"] = Temporary("trace", self.elements)
        return [Call(carry_states, names)]

    def _products(self, names: Names) -> list[Call]:
        """Where tokens are read: the table times w, which then stands for w."""
        if not self.tokens:
            return []
        products = Temporary("products", self.tokens * self.g.table)
        made: Names = {"products": products, "vocabulary": self.tokens, "g": self.g}
        names["w"] = products
        return [Call(token_products, made | ({"b": names["b"]} if "b" in names else {}))]

    def backward(self, kernel: Kernel) -> list[Call]:
        """Turn the weights, go back through time, then sum up the gradients of the weights."""
        g, wants = self.g, self.site.needs_dx[0]
        turn_u, u = self._turned("u", g.units)
        turn_w, w = self._turned("w", g.inputs)
        names: Names = {"g": g, "u_turned": u, "w_turned": w if wants else "zeros"}
        names |= {"wants_dx": int(wants)} | ({} if wants else {"dx": "zeros", "dx_ld": 0})
        back = self.has_start and self.site.needs_dx[1]
        names["dstart"], names["dstart_ld"] = ("dx1", "dx1_ld") if back else ("zeros", 0)
        turns = [turn_u, turn_w] if wants else [turn_u]
        of_h: Names = {
            "a": "trace",
            "a_ld": g.rows * g.width,
            "a_first": g.handed,
            "depth": g.units,
        }
        of_h |= {"a_step": g.width, "dw": "du", "dw_accumulates": "du_accumulates"}
        of_h |= {"before": g.again, "all_steps": 0}
        sums = [*self._of_w(), Call(recurrent_gradient, {"g": g, **of_h})]
        biases = {"b": 0, "b_h": g.again}
        for name, before in biases.items():
            if name in self.site.parameters and not (self.tokens and name == "b"):
                own: Names = {"db": f"d{name}", "db_accumulates": f"d{name}_accumulates"}
                sums.append(Call(recurrent_bias, {"g": g, "before": before, **own}))
        return [*turns, Call(kernel, names), *sums]

    def _of_w(self) -> list[Call]:
        """dw, from the steps of the input or, where they are tokens, from the table of them."""
        g, depth = self.g, {"depth": self.g.inputs}
        if not self.tokens:
            back = g.inputs * (g.steps - 1) if g.backward else 0
            of_x: Names = {"a": "x", "a_ld": "x_ld", "a_first": back, **depth}
            of_x["a_step"] = -g.inputs if g.backward else g.inputs
            return [Call(recurrent_gradient, {"g": g, "before": 0, "all_steps": 0, **of_x})]
        steps = self.tokens  # one sample with a step for each token
        sums = Temporary("dproducts", (steps + 1) * g.table)
        one = g._replace(steps=steps, rows=steps + 1, width=g.table)
        of_table: Names = {"a": "table", "a_ld": 0, "a_first": 0, "a_step": g.inputs, **depth}
        of_table |= {"trace": sums, "before": 0, "g": one, "live": 1, "all_steps": 1}
        turn, turned = self._turned("w", g.inputs)
        named: Names = {"vocabulary": steps, "dproducts": sums, "g": g}
        has_bias = "b" in self.site.parameters
        bias: Names = {} if has_bias else {"db": "zeros", "db_accumulates": 0}
        return [
            Call(token_sums, {**named, **bias, "wants_db": int(has_bias)}),
            turn,
            Call(recurrent_gradient, of_table),
            Call(table_gradient, {**named, "w_turned": turned}),
        ]

    def _turned(self, parameter: str, depth: int) -> tuple[Call, Temporary]:
        """The call that turns weights (depth, columns) round, and where they are then."""
        size = weight_elements(depth, self.g.columns, 1, self.site.lanes)
        room = Temporary(f"{parameter}.turned", size)
        one = geometry([Axis(1, 1)], depth, self.g.columns, 1)
        return Call(conv_turn, {"w": parameter, "turned": room, "g": one, "flipped": 0}), room


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
        dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, u_turned, w_turned, trace, lengths,
        zeros, g, scratch, first_row, last_row, product1, product2, unit,
    ):  # fmt: skip
        backward(
            cell_back, dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, u_turned, w_turned, trace,
            lengths, zeros, g, scratch, first_row, last_row, product1, product2, unit,
        )  # fmt: skip

    run.__name__, back.__name__ = f"{tag}_forward", f"{tag}_backward"
    by_samples: Any = {"split": shard, "work": work}
    return (
        tiles("y trace", rowwise="x start", **by_samples)(run),
        tiles("dx trace dstart", rowwise="dy", scratch=back_room, **by_samples)(back),
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
        lambda site: layer(site).backward(back),
        evaluate=lambda site: layer(site, evaluation=True).forward(run),
        keep=lambda site: layer(site).carry(),
        saved={"trace": lambda site: layer(site).elements},
        layouts={"w": "panels", "u": "panels"},
    )
