"""A recurrent layer at its place: sizes, the calls of both passes, and gradients of the weights."""

from collections.abc import Callable, Mapping
from typing import Any

from nnctl.engine.intrinsics import call_product, lanes_of, size_of, view, view2
from nnctl.engine.kernel import Kernel, tiles
from nnctl.engine.maths import like
from nnctl.ops.conv_kernels import conv_turn, weight_elements
from nnctl.ops.dense import gradient_split, padded, panel_split, step_of
from nnctl.ops.dropout import masked
from nnctl.ops.geometry import geometry
from nnctl.ops.recurrent import Recurrence, back_room, backward, forward, row, shard, work
from nnctl.ops.recurrent_table import table_gradient, token_products, token_sums
from nnctl.ops.registry import Call, Record, Site, Temporary, register
from nnctl.ops.windows import Axis

Names = dict[str, str | int | float | Temporary | Record]
BLOCK = 128  # steps of a block of the sum for dw: their gates stay in the first-level cache


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


@tiles(
    "dw",
    split=lambda sizes: gradient_split(sizes, sizes["depth"], sizes["g"].columns),
    whole="a trace",
    work=lambda sizes: sizes.capacity * sizes["g"].steps * sizes["g"].columns * sizes["depth"],
)
def recurrent_gradient(
    a, a_ld, a_first, a_step, depth, trace, before, g, dw, dw_accumulates, zeros,
    first_row, last_row, first_column, live, product1, product2, unit,
):  # fmt: skip
    """dw (+)= the sum over samples and steps of a * dgates, for a block of rows and a panel.

    ``a_first`` and ``a_step``: where a sample's first step lies in ``a``, and how far the next one
    is. ``before``: where dgates lie in a row of the trace.
    """
    size, lanes = size_of(unit), lanes_of(unit)
    step = step_of(g.columns - first_column, lanes)
    product = product1 if step == lanes else product2
    out = dw + size * (first_column * depth + first_row * step)
    long, many = min(g.steps, BLOCK), max(1, BLOCK // g.steps)
    begun = dw_accumulates != 0
    for n in range(0, live, many):
        for k in range(0, g.steps, long):
            start, stride = (out, step) if begun else (zeros, 0)
            dgates = row(trace, n, 0, g, size) + size * ((k + 1) * g.width + before + first_column)
            call_product(
                product, a + size * (n * a_ld + a_first + k * a_step + first_row), 1, a_ld, a_step,
                dgates, g.rows * g.width, g.width, out, step, start, stride,
                last_row - first_row, min(many, live - n), min(long, g.steps - k),
            )  # fmt: skip
            begun = True


@tiles(
    "db",
    split=lambda sizes: panel_split(sizes, sizes["g"].columns),
    whole="trace",
    scratch=lambda sizes: 16 * sizes.lanes,
)
def recurrent_bias(
    trace, before, g, db, db_accumulates, capacity, live, first_column, scratch, unit
):
    """db (+)= the sum of dgates, in double precision: quarters of the batch, then their tree."""
    size, lanes = size_of(unit), lanes_of(unit)
    n, used = 2 * lanes, min(2 * lanes, g.columns - first_column)
    quarter = (capacity + 3) // 4
    s = view(scratch, 4 * n, 0.0)
    for j in range(4 * n):
        s[j] = 0.0
    for r in range(live):
        sums = view(scratch + 8 * n * (r // quarter), used, 0.0)
        for k in range(g.steps):
            at = row(trace, r, 0, g, size) + size * ((k + 1) * g.width + before + first_column)
            d = view(at, used, unit)
            for j in range(used):
                sums[j] += d[j]
    out = view(db + size * first_column, used, unit)
    for j in range(used):
        total = (s[j] + s[n + j]) + (s[2 * n + j] + s[3 * n + j])
        out[j] = out[j] + total if db_accumulates else total


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
            wide if self.tokens else 0,
        )  # fmt: skip

    @property
    def elements(self) -> int:
        """Numbers of the traces of a batch."""
        return self.site.capacity * self.g.rows * self.g.width

    def forward(self, kernel: Kernel) -> list[Call]:
        """The call of the cell's forward kernel."""
        names: Names = {"g": self.g}
        names |= {name: "zeros" for name in ("b", "b_h") if name not in self.site.parameters}
        if self.evaluation:
            names["trace"] = Temporary("trace", self.elements)
        masks = [Call(recurrent_masks, {"g": self.g})] if self.g.handed != self.g.state else []
        return [*self._products(names), *masks, Call(kernel, names)]

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
        turns = [turn_u, turn_w] if wants else [turn_u]
        of_h: Names = {
            "a": "trace",
            "a_ld": g.rows * g.width,
            "a_first": g.handed,
            "depth": g.units,
        }
        of_h |= {"a_step": g.width, "dw": "du", "dw_accumulates": "du_accumulates"}
        sums = [*self._of_w(), Call(recurrent_gradient, {"g": g, "before": g.again, **of_h})]
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
            return [Call(recurrent_gradient, {"g": g, "before": 0, **of_x})]
        steps = self.tokens  # one sample with a step for each token
        sums = Temporary("dproducts", (steps + 1) * g.table)
        one = g._replace(steps=steps, rows=steps + 1, width=g.table)
        of_table: Names = {"a": "table", "a_ld": 0, "a_first": 0, "a_step": g.inputs, **depth}
        of_table |= {"trace": sums, "before": 0, "g": one, "live": 1}
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
        x, x_ld, w, u, b, b_h, y, y_ld, trace, lengths, g, first_row, last_row,
        product1, product2, unit,
    ):  # fmt: skip
        forward(
            cell, x, x_ld, w, u, b, b_h, y, y_ld, trace, lengths, g, first_row, last_row,
            product1, product2, unit,
        )  # fmt: skip

    def back(
        dy, dy_ld, dx, dx_ld, wants_dx, u_turned, w_turned, trace, lengths, zeros, g, scratch,
        first_row, last_row, product1, product2, unit,
    ):  # fmt: skip
        backward(
            cell_back, dy, dy_ld, dx, dx_ld, wants_dx, u_turned, w_turned, trace, lengths, zeros, g,
            scratch, first_row, last_row, product1, product2, unit,
        )  # fmt: skip

    run.__name__, back.__name__ = f"{tag}_forward", f"{tag}_backward"
    by_samples: Any = {"split": shard, "work": work}
    return (
        tiles("y trace", rowwise="x", **by_samples)(run),
        tiles("dx trace", rowwise="dy", scratch=back_room, **by_samples)(back),
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
        saved={"trace": lambda site: layer(site).elements},
        layouts={"w": "panels", "u": "panels"},
    )
