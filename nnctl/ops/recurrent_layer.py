"""A recurrent layer at its place: sizes, and the calls of both passes."""

from typing import NamedTuple

from nnctl.engine.intrinsics import size_of, view2
from nnctl.engine.kernel import Kernel, tiles
from nnctl.engine.maths import like
from nnctl.ops.conv_kernels import conv_turn, weight_elements
from nnctl.ops.dense import padded
from nnctl.ops.dropout import masked
from nnctl.ops.geometry import geometry
from nnctl.ops.recurrent import Recurrence, row, shard
from nnctl.ops.recurrent_start import carry_states, learned_start, start_gradient
from nnctl.ops.recurrent_sums import own_gradient, recurrent_bias, recurrent_gradient
from nnctl.ops.recurrent_table import table_gradient, token_products, token_sums
from nnctl.ops.registry import Call, Record, Site, Temporary
from nnctl.ops.windows import Axis

Names = dict[str, str | int | float | Temporary | Record]
CARRIED = "carried"  # the field, and the array, of a layer that goes on where it ended
START = ("h0", "c0")  # the states of a start that is trained
OWN = 6  # parameters of its own that a cell may have, at most


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


def _odd(width: int, lanes: int) -> int:
    """Whole vectors, an odd number of them: rows a power of two apart share sets of the cache."""
    vectors = -(-width // lanes)
    return (vectors + 1 - vectors % 2) * lanes


def _gradient_of(argument: str, parameter: str) -> Names:
    """The names of a kernel's result where it is the gradient of a parameter."""
    return {argument: f"d{parameter}", f"{argument}_accumulates": f"d{parameter}_accumulates"}


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
        end = kept + padded(form.kept, lanes)
        self.own = tuple(n for n, _ in form.own if n in site.parameters)
        self.g = Recurrence(
            steps, inputs, units, form.columns, form.apart or form.columns, wide if again else 0,
            state, kept, end if drops else state, _odd(end + drops * room, lanes),
            2 if evaluation else steps + 1,
            int(site.fields["backward"]), int(site.fields["returns"] == "sequence"), form.kind,
            wide if self.tokens else 0, self._starts(), wide + again, form.inner, form.depth,
            sum(count for _, count in form.own),
        )  # fmt: skip

    def _starts(self) -> int:
        """How many states are given for the start: those of a second input, or all of them."""
        if self.carries or self.learns_start:
            return self.form.states
        return self.site.inputs[1] // self.form.units if self.has_start else 0

    @property
    def carries(self) -> bool:
        return bool(self.site.fields.get(CARRIED, False))

    @property
    def learns_start(self) -> bool:
        return START[0] in self.site.parameters

    @property
    def has_start(self) -> bool:
        return len(self.site.inputs) > 1

    def _start(self) -> Names:
        """Where the states for the start lie."""
        if self.carries:
            return {"start": CARRIED, "start_ld": self.g.starts * self.g.units}
        if self.learns_start:
            return {"start": Temporary("start", self.g.starts * self.g.units), "start_ld": 0}
        given: Names = {"start": "x1", "start_ld": "x1_ld"}
        return given if self.has_start else {"start": "zeros", "start_ld": 0}

    @property
    def elements(self) -> int:
        """Numbers of the traces of a batch."""
        return self.site.capacity * self.g.rows * self.g.width

    def forward(self, kernel: Kernel) -> list[Call]:
        """The call of the cell's forward kernel."""
        names: Names = {"g": self.g, **self._start(), **self._own()}
        biases = ("b", "b_h")
        names |= {n: "zeros" for n in biases if n in self.own or n not in self.site.parameters}
        if self.evaluation:
            names["trace"] = Temporary("trace", self.elements)
        masks = [Call(recurrent_masks, {"g": self.g})] if self.g.handed != self.g.state else []
        carry = self.carry() if self.evaluation else []
        first = [*self._products(names), *self._learned(names), *masks]
        return [*first, Call(kernel, names), *carry]

    def _own(self) -> Names:
        """The cell's own parameters, and those of the product inside a step."""
        names: Names = {f"own{k}": "zeros" for k in range(OWN)}
        names |= {f"own{k}": n for k, (n, _) in enumerate(self.form.own) if n in self.own}
        v, b_v = self.form.v
        has_bias = b_v in self.site.parameters
        return {**names, "v": v, "b_v": b_v if has_bias else "zeros"}

    def _learned(self, names: Names) -> list[Call]:
        """Put the states that are trained side by side."""
        start = names["start"]
        if self.carries or not self.learns_start:
            return []
        made: Names = {"start": start, "units": self.g.units, "states": self.g.starts}
        given: Names = {"c0": "h0"} if self.g.starts == 1 else {}
        return [Call(learned_start, made | given)]

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
        turn_u, u = self._turned("u", g.units, g.columns_u)
        turn_w, w = self._turned("w", g.inputs, g.columns)
        names: Names = {"g": g, "u_turned": u, "w_turned": w if wants else "zeros", **self._own()}
        names |= {"wants_dx": int(wants)} | ({} if wants else {"dx": "zeros", "dx_ld": 0})
        names |= {"v_turned": "zeros", "leaves": "zeros", **self._dstart()}
        turns, sums = [turn_u, turn_w] if wants else [turn_u], self._sums()
        if g.inner_depth:
            turn_v, names["v_turned"] = self._turned(self.form.v[0], g.inner_depth, g.inner_columns)
            turns.append(turn_v)
        if g.leaf:
            names["leaves"] = leaves = Temporary("leaves", self.site.capacity * g.leaf, "d")
            sums += self._of_own(leaves)
        if self.learns_start and not self.carries:
            sums += self._of_start(names)
        return [*turns, Call(kernel, names), *sums]

    def _dstart(self) -> Names:
        """Where the gradient of the start goes."""
        if self.learns_start and not self.carries:
            wide = self.g.starts * self.g.units
            return {"dstart": Temporary("dstart", self.site.capacity * wide), "dstart_ld": wide}
        back = self.has_start and self.site.needs_dx[1]
        given: Names = {"dstart": "dx1", "dstart_ld": "dx1_ld"}
        return given if back else {"dstart": "zeros", "dstart_ld": 0}

    def _sums(self) -> list[Call]:
        """Gradients of weights and biases, by the rows of all traces."""
        g, (v, b_v) = self.g, self.form.v
        rows: Names = {"a": "trace", "a_ld": g.rows * g.width, "a_step": g.width}
        of_h: Names = {**rows, "a_first": g.handed, "depth": g.units, "before": g.again}
        of_h |= {"g": g._replace(columns=g.columns_u), **_gradient_of("dw", "u")}
        sums = [*self._of_w(), Call(recurrent_gradient, of_h)]
        inner = g._replace(columns=g.inner_columns)
        if g.inner_depth:
            of_v: Names = {**rows, "a_first": g.width + g.kept, "depth": g.inner_depth}
            of_v |= {"g": inner, "before": g.inner, **_gradient_of("dw", v)}
            sums.append(Call(recurrent_gradient, of_v))
        biases = {"b": (0, g), "b_h": (g.again, g), b_v: (g.inner, inner)}
        for name, (before, sizes) in biases.items():
            given = name in self.site.parameters and name not in self.own
            if given and not (self.tokens and name == "b"):
                of_b: Names = {"g": sizes, "before": before, **_gradient_of("db", name)}
                sums.append(Call(recurrent_bias, of_b))
        return sums

    def _of_own(self, leaves: Temporary) -> list[Call]:
        """Gradients of the cell's own parameters, of what every sample has of them."""
        sums, first = [], 0
        for name, count in self.form.own:
            if name in self.own:
                names: Names = {"leaves": leaves, "leaf": self.g.leaf, "first": first}
                names |= {"count": count, **_gradient_of("db", name)}
                sums.append(Call(own_gradient, names))
            first += count
        return sums

    def _of_start(self, names: Names) -> list[Call]:
        """Gradients of the states that are trained, of what every sample has of them."""
        units, made = self.g.units, {n: names[n] for n in ("dstart", "dstart_ld")}
        return [
            Call(
                start_gradient,
                {**made, "first": k * units, "count": units, **_gradient_of("db", name)},
            )
            for k, name in enumerate(START[: self.g.starts])
        ]

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
        turn, turned = self._turned("w", g.inputs, g.columns)
        named: Names = {"vocabulary": steps, "dproducts": sums, "g": g}
        has_bias = "b" in self.site.parameters and "b" not in self.own
        bias: Names = {} if has_bias else {"db": "zeros", "db_accumulates": 0}
        return [
            Call(token_sums, {**named, **bias, "wants_db": int(has_bias)}),
            turn,
            Call(recurrent_gradient, of_table),
            Call(table_gradient, {**named, "w_turned": turned}),
        ]

    def _turned(self, parameter: str, depth: int, columns: int) -> tuple[Call, Temporary]:
        """The call that turns weights (depth, columns) round, and where they are then."""
        size = weight_elements(depth, columns, 1, self.site.lanes)
        room = Temporary(f"{parameter}.turned", size)
        one = geometry([Axis(1, 1)], depth, columns, 1)
        return Call(conv_turn, {"w": parameter, "turned": room, "g": one, "flipped": 0}), room
