"""Recurrent layers on few samples: every step a call of its own, its products cut by columns.

A sample's step reads all of w and u: where the samples are few, that is what takes the time, and
cores that share the columns read a part each, from a cache of its own. A task has some units, what
they need of w and u, and then their cells. Where cells need other units, or units do not fill whole
panels, a step takes two calls: the products, some columns a task, and the cells, a sample a task.
The bits are those of ``recurrent.forward``: each sum runs in the same order.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any

from nnctl.engine.abreast import ABREAST
from nnctl.engine.intrinsics import call_product, lanes_of, size_of
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Kernel, Sizes, Split, tiles
from nnctl.engine.tiles import cycles
from nnctl.ops.conv_core import copy
from nnctl.ops.dense import columns_of, padded
from nnctl.ops.recurrent import (
    begin,
    give,
    has_state,
    is_over,
    multiply_panels,
    of_input,
    of_state,
    place,
    row,
    shard,
)
from nnctl.ops.recurrent_layer import Layer
from nnctl.ops.registry import Call

FEW = 4  # samples, at most
LONG = 1024  # steps, at most: a tape holds every call
TASKS = 8  # of the products of a step, at most


def suits(layer: Layer) -> bool:
    """Whether a layer is run so: in evaluation, on few samples."""
    return layer.evaluation and layer.site.capacity <= FEW and layer.g.steps <= LONG


def calls(layer: Layer, cells: Kernel, units: Kernel | None) -> list[Call]:
    """The calls of all steps of a layer; ``units`` is the kernel of a step of some units."""
    names = layer.segment(step_begin, layer.g).bind
    kernels = [step_products, cells]
    if units is not None and layer.g.units % (2 * layer.site.lanes) == 0:
        kernels = [units]
    steps = ({**names, "k": k, "states": layer.form.states} for k in range(layer.g.steps))
    turns = ([Call(kernel, one) for kernel in kernels] for one in steps)
    return [Call(step_begin, names), *chain.from_iterable(turns)]


@tiles("trace", split=shard, rowwise="start")
def step_begin(start, start_ld, trace, g, first_row, last_row, unit):
    """Put what the first step starts from in its place."""
    begin(start, start_ld, trace, g, first_row, last_row, unit)


def _cut(sizes: Sizes, width: int, gates: int = 1) -> Split:
    """Blocks of whole panels, all samples; enough of them for panels abreast."""
    panel = 2 * sizes.lanes
    panels = -(-width // panel)
    columns = max(-(-panels // TASKS), min(panels, -(-ABREAST // gates))) * panel
    return Split(sizes.capacity, 1, columns, -(-width // columns), width)


def _work(sizes: Sizes) -> int:
    """As multiply-adds of a product of many rows: of few rows each waits for the one before."""
    g = sizes["g"]
    panels = padded(g.columns, sizes.lanes) / (2 * sizes.lanes)
    depth = g.units + (0 if g.table else g.inputs)
    return int(panels * depth * cycles(sizes.capacity, 2) * sizes.lanes)


@inline
def _row(a, depth, w, columns, first, last, out, start, gates, apart, row_product, p1, p2, unit):
    """out = start + a @ w for a single row: columns ``first`` to ``last`` of so many gates."""
    size, lanes = size_of(unit), lanes_of(unit)
    panel = 2 * lanes
    if gates > 1:
        for c in range(first, last, panel):
            call_product(
                row_product, a, 0, 0, 1, w + size * c * depth, apart * depth, panel,
                out + size * c, apart, start + size * c, apart, gates, 1, depth,
            )  # fmt: skip
        return
    whole = (last - first + lanes - 1) // panel  # panels of two vectors
    call_product(
        row_product, a, 0, 0, 1, w + size * first * depth, panel * depth, panel,
        out + size * first, panel, start + size * first, panel, whole, 1, depth,
    )  # fmt: skip
    rest = first + whole * panel
    multiply_panels(a, 0, depth, w, columns, rest, last, out, 0, start, 0, 1, p1, p2, unit)


@inline
def _products(
    x, x_ld, w, u, b, b_h, trace, g, k, live, first, last, gates, row_product, p1, p2, unit
):  # fmt: skip
    """What w and u give to columns ``first`` to ``last`` of each of some gates of the k-th step."""
    size, n, wide, wide_u = size_of(unit), g.units, min(last, g.columns), min(last, g.columns_u)
    for gate in range(gates if live > 1 or g.table else 0):
        at = gate * n
        of_input(
            x, x_ld, w, b, trace, g, k, 0, live, first + at, wide + at, p1, p2, unit
        )  # fmt: skip
        if live > 1:
            of_state(u, b_h, trace, g, k, 0, live, first + at, wide_u + at, p1, p2, unit)
    now, old = row(trace, 0, k + 1, g, size), row(trace, 0, k, g, size)
    if live == 1 and not g.table:
        _row(
            x + size * place(k, g) * g.inputs, g.inputs, w, g.columns, first, wide, now, b, gates,
            n, row_product, p1, p2, unit,
        )  # fmt: skip
    if live == 1 and has_state(k, g):
        sums = b_h if g.again else now
        _row(
            old + size * g.handed, n, u, g.columns_u, first, wide_u, now + size * g.again, sums,
            gates, n, row_product, p1, p2, unit,
        )  # fmt: skip


@tiles("trace", split=lambda sizes: _cut(sizes, sizes["g"].columns), whole="trace x", work=_work)
def step_products(
    x, x_ld, w, u, b, b_h, trace, g, k, live, first_column, last_column, row_product, product1,
    product2, unit,
):  # fmt: skip
    """What w and u give to some columns of the gates of the k-th step."""
    _products(
        x, x_ld, w, u, b, b_h, trace, g, k, live, first_column, last_column, 1, row_product,
        product1, product2, unit,
    )  # fmt: skip


@inline
def _turn(cell, y, y_ld, trace, lengths, g, k, states, live, first, count, unit):
    """Turn the gates of some units of the k-th step into states, and give what the step gives."""
    size, t, room = size_of(unit), place(k, g), columns_of(g.units, lanes_of(unit))
    state = size * g.state
    for r in range(live):
        at = row(trace, r, k + 1, g, size) + size * first
        before = row(trace, r, k, g, size) + size * first
        over = is_over(lengths, r, t)
        if not over:
            cell(at, before, count, g, unit)
        for s in range(states if over else 0):
            kept = state + size * s * room
            copy(before + kept, at + kept, count, unit)
        out = y + size * (r * y_ld + first)
        if g.every == 1:
            give(at, over, out + size * t * g.units, count, g, unit)
        elif g.every == 0 and k == g.steps - 1:
            give(at, False, out, count, g, unit)


def step_of_units(name: str, cell: Callable[..., Any]) -> Kernel:
    """The kernel of a step of some units: ``cell(row, row before, n, g, unit)`` turns the gates of
    n units into their states."""

    def step(
        x, x_ld, w, u, b, b_h, y, y_ld, trace, lengths, g, k, states, live, first_column,
        last_column, row_product, product1, product2, unit,
    ):  # fmt: skip
        _products(
            x, x_ld, w, u, b, b_h, trace, g, k, live, first_column, last_column,
            g.columns // g.units, row_product, product1, product2, unit,
        )  # fmt: skip
        count = last_column - first_column
        _turn(cell, y, y_ld, trace, lengths, g, k, states, live, first_column, count, unit)

    step.__name__ = f"{name}_units"
    return tiles("y trace", split=_units, whole="trace x", work=_work)(step)


def _units(sizes: Sizes) -> Split:
    g = sizes["g"]
    return _cut(sizes, g.units, g.columns // g.units)
