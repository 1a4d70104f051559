"""The way back of a recurrent layer: its calls, segment by segment where steps are taken again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.engine.kernel import Kernel
from nnctl.ops.conv_kernels import conv_turn, weight_elements
from nnctl.ops.geometry import geometry
from nnctl.ops.recurrent import Recurrence
from nnctl.ops.recurrent_sums import recurrent_bias, recurrent_gradient
from nnctl.ops.recurrent_table import table_gradient, token_sums
from nnctl.ops.registry import Call, Temporary
from nnctl.ops.windows import Axis

if TYPE_CHECKING:
    from nnctl.ops.recurrent_layer import Layer, Names


def way_back(layer: Layer, kernel: Kernel, again: Kernel) -> list[Call]:
    """Turn the weights, go back through time, then sum up the gradients of the weights; that
    for each segment, from the last to the first, where ``again`` goes through it forward."""
    wants = layer.site.needs_dx[0]
    turn_u, u = _turned(layer, "u", layer.g.units)
    turn_w, w = _turned(layer, "w", layer.g.inputs)
    names: Names = {"u_turned": u, "w_turned": w if wants else "zeros"}
    names |= {"wants_dx": int(wants)} | ({} if wants else {"dx": "zeros", "dx_ld": 0})
    made = [turn_u, turn_w] if wants else [turn_u]
    if layer.recomputes:
        made += [*layer.products(), *layer.masks()]
    for g in reversed(layer.segments):
        if layer.recomputes:
            silent = layer.segment(again, layer.kept_start(g)._replace(every=2))
            made.append(Call(again, {**silent.bind, "y": layer.trace, "y_ld": 0}))
        flow = {"g": g, "trace": layer.trace, **_flow(layer, g)}
        made += [Call(kernel, names | flow), *_sums(layer, g)]
    return made + _of_table(layer)


def _flow(layer: Layer, g: Recurrence) -> Names:
    """Where gradients of states come from behind a segment, and where they go before it."""
    count = layer.kept * layer.g.units
    size, number = layer.site.capacity * count, g.first // layer.segments[0].steps
    ends: Names = {"dend": "zeros", "dend_ld": 0}
    if g.ends:
        ends = {"dend": Temporary(f"flow{number % 2}", size), "dend_ld": count}
    if g.first:
        flow = Temporary(f"flow{(number + 1) % 2}", size)
        return {"dstart": flow, "dstart_ld": count, **ends}
    back = layer.has_start and layer.site.needs_dx[1]
    starts: Names = {"dstart": "dx1", "dstart_ld": "dx1_ld"}
    return {**(starts if back else {"dstart": "zeros", "dstart_ld": 0}), **ends}


def _sums(layer: Layer, g: Recurrence) -> list[Call]:
    """The parts of dw, du and the gradients of biases that come from a segment."""
    trace: Names = {"g": g, "trace": layer.trace}
    of_h: Names = {"a": layer.trace, "a_ld": g.rows * g.width, "a_first": g.handed}
    of_h |= {"depth": g.units, "a_step": g.width, "dw": "du", "all_steps": 0}
    of_h |= {"dw_accumulates": "du_accumulates", "before": g.again}
    sums = [*_of_x(layer, g), Call(recurrent_gradient, {**of_h, **trace})]
    biases = {"b": 0, "b_h": g.again}
    for name, before in biases.items():
        if name in layer.site.parameters and not (layer.tokens and name == "b"):
            own: Names = {"db": f"d{name}", "db_accumulates": f"d{name}_accumulates"}
            sums.append(Call(recurrent_bias, {**trace, "before": before, **own}))
    return sums


def _of_x(layer: Layer, g: Recurrence) -> list[Call]:
    """What a segment gives for dw, or, where tokens are read, for the sums by token."""
    trace: Names = {"g": g, "trace": layer.trace}
    if not layer.tokens:
        first = (g.steps + g.beyond - 1 if g.backward else g.first) * g.inputs
        of_x: Names = {"a": "x", "a_ld": "x_ld", "a_first": first, "depth": g.inputs}
        of_x |= {"a_step": -g.inputs if g.backward else g.inputs, "before": 0, "all_steps": 0}
        return [Call(recurrent_gradient, {**of_x, **trace})]
    named: Names = {"vocabulary": layer.tokens, "dproducts": _dproducts(layer)}
    wants = int("b" in layer.site.parameters and g.first == 0)  # the last that adds to the sums
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
    turn, turned = _turned(layer, "w", g.inputs)
    named: Names = {"vocabulary": count, "dproducts": _dproducts(layer), "g": g}
    return [
        turn,
        Call(recurrent_gradient, of_table),
        Call(table_gradient, {**named, "w_turned": turned}),
    ]


def _turned(layer: Layer, parameter: str, depth: int) -> tuple[Call, Temporary]:
    """The call that turns weights (depth, columns) round, and where they are then."""
    size = weight_elements(depth, layer.g.columns, 1, layer.site.lanes)
    room = Temporary(f"{parameter}.turned", size)
    one = geometry([Axis(1, 1)], depth, layer.g.columns, 1)
    return Call(conv_turn, {"w": parameter, "turned": room, "g": one, "flipped": 0}), room
