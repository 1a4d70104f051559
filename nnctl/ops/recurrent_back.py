"""The way back of a recurrent layer: its calls, segment by segment where steps are taken again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.engine.kernel import Kernel
from nnctl.ops.conv_kernels import conv_turn, weight_elements
from nnctl.ops.geometry import geometry
from nnctl.ops.parts import cut
from nnctl.ops.recurrent import Recurrence
from nnctl.ops.recurrent_start import start_gradient
from nnctl.ops.recurrent_sums import own_gradient, recurrent_bias, recurrent_gradient
from nnctl.ops.recurrent_table import table_gradient, token_sums
from nnctl.ops.recurrent_taught import taught_slopes
from nnctl.ops.recurrent_tiles import suits, tile_gradient
from nnctl.ops.registry import Call, Temporary
from nnctl.ops.windows import Axis

if TYPE_CHECKING:
    from nnctl.ops.recurrent_layer import Layer, Names


def way_back(layer: Layer, kernel: Kernel, again: Kernel) -> list[Call]:
    """Turn the weights, go back through time, then sum up the gradients of the weights; that
    for each segment, from the last to the first, where ``again`` goes through it forward."""
    wants, g = layer.site.needs_dx[0], layer.g
    turn_u, u = _turned(layer, "u", g.units, g.columns_u)
    turn_w, w = _turned(layer, "w", g.inputs, g.columns)
    made = [turn_u, turn_w] if wants else [turn_u]
    names: Names = {"u_turned": u, "w_turned": w if wants else "zeros", **layer.of_cell()}
    if g.cut_u:
        cut_u, names["u_turned"] = cut("u.turned", u, g.columns_u, g.units)
        made.append(cut_u)
    if g.cut_w and wants:
        cut_w, names["w_turned"] = cut("w.turned", w, g.columns, g.inputs)
        made.append(cut_w)
    names |= {"wants_dx": int(wants)} | ({} if wants else {"dx": "zeros", "dx_ld": 0})
    names |= {"v_turned": "zeros", "leaves": _leaves(layer)}
    if g.inner_depth:
        turn_v, names["v_turned"] = _turned(layer, layer.form.v[0], g.inner_depth, g.inner_columns)
        made.append(turn_v)
    if layer.recomputes:
        made += [*layer.products(), *layer.cuts(), *layer.learned(), *layer.masks()]
    for part in reversed(layer.segments):
        if layer.recomputes:
            silent = layer.segment(again, layer.kept_start(part)._replace(every=2))
            made.append(Call(again, {**silent.bind, "y": layer.trace, "y_ld": 0}))
        flow = {"g": part, "trace": layer.trace, **_flow(layer, part)}
        made += [Call(kernel, names | flow), *_sums(layer, part)]
    if g.taught and layer.site.needs_dx[1]:
        made.append(Call(taught_slopes, {"g": g, "u_turned": u}))
    return made + _of_table(layer) + _of_start(layer)


def _gradient_of(argument: str, parameter: str) -> Names:
    """The names of a kernel's result where it is the gradient of a parameter."""
    return {argument: f"d{parameter}", f"{argument}_accumulates": f"d{parameter}_accumulates"}


def _leaves(layer: Layer) -> str | Temporary:
    """What every sample has of the gradients of the cell's own parameters."""
    leaf = layer.g.leaf
    return Temporary("leaves", layer.site.capacity * leaf, "d") if leaf else "zeros"


def _flow(layer: Layer, g: Recurrence) -> Names:
    """Where gradients of states come from behind a segment, and where they go before it."""
    count = layer.form.states * layer.g.units
    size, number = layer.site.capacity * count, g.first // layer.segments[0].steps
    ends: Names = {"dend": "zeros", "dend_ld": 0}
    if g.ends:
        ends = {"dend": Temporary(f"flow{number % 2}", size), "dend_ld": count}
    if g.first:
        flow = Temporary(f"flow{(number + 1) % 2}", size)
        return {"dstart": flow, "dstart_ld": count, **ends}
    return {**_dstart(layer), **ends}


def _dstart(layer: Layer) -> Names:
    """Where the gradient of the start goes."""
    if layer.learns_start:
        wide = layer.g.starts * layer.g.units
        return {"dstart": Temporary("dstart", layer.site.capacity * wide), "dstart_ld": wide}
    back = layer.has_start and layer.site.needs_dx[1]
    given: Names = {"dstart": "dx1", "dstart_ld": "dx1_ld"}
    return given if back else {"dstart": "zeros", "dstart_ld": 0}


def _of_start(layer: Layer) -> list[Call]:
    """Gradients of the states that are trained, of what every sample has of them."""
    from nnctl.ops.recurrent_layer import START

    if not layer.learns_start:
        return []
    units, made = layer.g.units, _dstart(layer)
    names = START[: layer.g.starts]
    return [
        Call(
            start_gradient,
            {**made, "first": k * units, "count": units, **_gradient_of("db", name)},
        )
        for k, name in enumerate(names)
    ]


def _sums(layer: Layer, g: Recurrence) -> list[Call]:
    """The parts of the gradients of weights and biases that come from a segment."""
    v, b_v = layer.form.v
    rows: Names = {"a": layer.trace, "a_ld": g.rows * g.width, "a_step": g.width}
    rows["trace"] = layer.trace
    of_h: Names = {**rows, "a_first": g.handed, "before": g.again, **_gradient_of("dw", "u")}
    of_u = g._replace(columns=g.columns_u)
    sums = [*_of_x(layer, g), _gradient(layer, of_u, g.units, of_h)]
    inner = g._replace(columns=g.inner_columns)
    if g.inner_depth:
        of_v: Names = {**rows, "a_first": g.width + g.kept, "before": g.inner}
        sums.append(_gradient(layer, inner, g.inner_depth, of_v | _gradient_of("dw", v)))
    biases = {"b": (0, g), "b_h": (g.again, g), b_v: (g.inner, inner)}
    for name, (before, sizes) in biases.items():
        given = name in layer.site.parameters and name not in layer.own
        if given and not (layer.tokens and name == "b"):
            of_b: Names = {"g": sizes, "before": before, "trace": layer.trace}
            sums.append(Call(recurrent_bias, of_b | _gradient_of("db", name)))
    return sums + _of_own(layer)


def _gradient(layer: Layer, g: Recurrence, depth: int, names: Names) -> Call:
    """The call that sums up the gradient of weights (depth, columns), on the CPU's tiles where that
    suits."""
    named: Names = {**names, "g": g, "depth": depth}
    if suits(layer.site, depth, g.columns):
        return Call(tile_gradient, named)
    return Call(recurrent_gradient, {**named, "all_steps": 0})


def _of_own(layer: Layer) -> list[Call]:
    """Gradients of the cell's own parameters, of what every sample has of them."""
    sums, first = [], 0
    for name, count in layer.form.own:
        if name in layer.own:
            names: Names = {"leaves": _leaves(layer), "leaf": layer.g.leaf, "first": first}
            sums.append(Call(own_gradient, {**names, "count": count, **_gradient_of("db", name)}))
        first += count
    return sums


def _of_x(layer: Layer, g: Recurrence) -> list[Call]:
    """What a segment gives for dw, or, where tokens are read, for the sums by token."""
    trace: Names = {"g": g, "trace": layer.trace}
    if not layer.tokens:
        first = (g.steps + g.beyond - 1 if g.backward else g.first) * g.inputs
        of_x: Names = {"a": "x", "a_ld": "x_ld", "a_first": first, "before": 0, **trace}
        of_x["a_step"] = -g.inputs if g.backward else g.inputs
        return [_gradient(layer, g, g.inputs, of_x)]
    named: Names = {"vocabulary": layer.tokens, "dproducts": _dproducts(layer)}
    has_bias = "b" in layer.site.parameters and "b" not in layer.own
    wants = int(has_bias and g.first == 0)  # the last that adds to the sums
    bias: Names = {} if wants else {"db": "zeros", "db_accumulates": 0}
    return [Call(token_sums, {**named, **bias, **trace, "wants_db": wants})]


def _dproducts(layer: Layer) -> Temporary:
    return Temporary("dproducts", (layer.tokens + 1) * layer.g.table)


def _of_table(layer: Layer) -> list[Call]:
    """dw and the table's gradient, from the sums by token: one sample, a step for each."""
    g, count = layer.g, layer.tokens
    if not count:
        return []
    one = g._replace(steps=count, rows=count + 1, width=g.table)
    of_table: Names = {"a": "table", "a_ld": 0, "a_first": 0, "a_step": g.inputs}
    of_table |= {"depth": g.inputs, "trace": _dproducts(layer), "before": 0, "g": one}
    of_table |= {"live": 1, "all_steps": 1}
    turn, turned = _turned(layer, "w", g.inputs, g.columns)
    named: Names = {"vocabulary": count, "dproducts": _dproducts(layer), "g": g}
    return [
        turn,
        Call(recurrent_gradient, of_table),
        Call(table_gradient, {**named, "w_turned": turned}),
    ]


def _turned(layer: Layer, parameter: str, depth: int, columns: int) -> tuple[Call, Temporary]:
    """The call that turns weights (depth, columns) round, and where they are then."""
    size = weight_elements(depth, columns, 1, layer.site.lanes)
    room = Temporary(f"{parameter}.turned", size)
    one = geometry([Axis(1, 1)], depth, columns, 1)
    return Call(conv_turn, {"w": parameter, "turned": room, "g": one, "flipped": 0}), room
