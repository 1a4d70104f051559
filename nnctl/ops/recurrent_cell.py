"""Cells of recurrent layers: the functions of a row that a type of layer has, and their kernels."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nnctl.engine.jit import inline
from nnctl.engine.kernel import Kernel, tiles
from nnctl.ops.recurrent import SUMS, give_last, inside, shard, work
from nnctl.ops.recurrent import turn as take_turn
from nnctl.ops.recurrent_back import way_back
from nnctl.ops.recurrent_backward import back_room, backward
from nnctl.ops.recurrent_columns import calls, step_of_units, suits
from nnctl.ops.recurrent_forward import forward, room
from nnctl.ops.recurrent_layer import Form, Layer
from nnctl.ops.registry import Site, register

Fields = Mapping[str, Any]


@inline
def _none(at, before, own, scratch, g, unit):
    """No product inside a step."""


@inline
def _none_back(at, before, mask, dinner, dh, own, leaf, scratch, g, unit):
    """No product inside a step."""


class Cell(NamedTuple):
    """The functions that ``forward`` and ``backward`` of recurrent.py take, and the form of their
    rows by a layer's fields. ``name`` is that of the kernels."""

    name: str
    form: Callable[[Fields], Form]
    forward: Any
    backward: Any
    first: Any = _none
    first_back: Any = _none_back
    part: Any = None  # what ``forward`` does for some units alone, if they need no others


def plain(name: str, form: Callable[[Fields], Form], cell: Any, cell_back: Any) -> Cell:
    """A cell of units side by side, without parameters of its own: ``cell(row, row before, n, g,
    unit)`` is of ``n`` units, the first of which the rows begin at."""

    @inline
    def run(at, before, own, scratch, g, unit):
        cell(at, before, g.units, g, unit)

    @inline
    def back(at, before, dh, dc, own, leaf, scratch, g, unit):
        cell_back(at, before, dh, dc, g, unit)

    return Cell(name, form, run, back, part=cell)


class Kernels(NamedTuple):
    """What runs a cell: all steps of some samples, the way back, a step of some samples, and that
    of some units."""

    forward: Kernel
    backward: Kernel
    step: Kernel
    units: Kernel | None


def _kernels(cell: Cell) -> Kernels:
    """The loops over steps around the functions of a cell."""
    turn, first, turn_back, first_back = cell.forward, cell.first, cell.backward, cell.first_back

    def run(
        x, x_ld, w, u, b, b_h, v, b_v, own0, own1, own2, own3, own4, own5, start, start_ld, y, y_ld,
        trace, lengths, g, scratch, first_row, last_row, product1, product2, tile_product, unit,
    ):  # fmt: skip
        forward(
            turn, first, x, x_ld, w, u, b, b_h, v, b_v, (own0, own1, own2, own3, own4, own5),
            start, start_ld, y, y_ld, trace, lengths, g, scratch, first_row, last_row,
            product1, product2, tile_product, unit,
        )  # fmt: skip

    def back(
        dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, dend, dend_ld, u_turned, w_turned,
        v_turned, own0, own1, own2, own3, own4, own5, leaves, trace, lengths, zeros, g, scratch,
        first_row, last_row, product1, product2, tile_product, unit,
    ):  # fmt: skip
        backward(
            turn_back, first_back, dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, dend, dend_ld,
            u_turned, w_turned, v_turned, (own0, own1, own2, own3, own4, own5), leaves, trace,
            lengths, zeros, g, scratch, first_row, last_row, product1, product2, tile_product, unit,
        )  # fmt: skip

    def step(
        v, b_v, own0, own1, own2, own3, own4, own5, y, y_ld, trace, lengths, g, k, scratch,
        first_row, last_row, product1, product2, unit,
    ):  # fmt: skip
        own = (own0, own1, own2, own3, own4, own5)
        if g.inner_depth:
            inside(
                first, own, v, b_v, trace, lengths, k, g, scratch, first_row, last_row, product1,
                product2, unit,
            )  # fmt: skip
        take_turn(turn, own, y, y_ld, trace, lengths, k, g, scratch, first_row, last_row, unit)
        if g.every == 0 and k == g.steps - 1:
            give_last(y, y_ld, trace, g, first_row, last_row, unit)

    step.__name__ = f"{cell.name}_step"
    run.__name__, back.__name__ = f"{cell.name}_forward", f"{cell.name}_backward"
    by_samples: Any = {"split": shard, "work": work}
    return Kernels(
        tiles("y trace", rowwise="x start", scratch=room, **by_samples)(run),
        tiles("dx trace dstart leaves", rowwise="dy dend", scratch=back_room, **by_samples)(back),
        tiles("y trace", split=shard, scratch=lambda sizes: SUMS)(step),
        step_of_units(cell.name, cell.part) if cell.part is not None else None,
    )


def register_cell(tag: str, *cells: Cell, choose: Callable[[Fields], int] = lambda _: 0) -> None:
    """Say how recurrent layers of type ``tag`` run: by one cell, or by that which is chosen."""
    kernels = [_kernels(cell) for cell in cells]

    def layer(site: Site, evaluation: bool = False) -> tuple[Layer, Kernels]:
        k = choose(site.fields)
        return Layer(site, cells[k].form(site.fields), evaluation), kernels[k]

    def run(site: Site, evaluation: bool = False) -> Any:
        made, kernels = layer(site, evaluation)
        steps = calls(made, kernels.step, kernels.units) if suits(made) else None
        return made.forward(kernels.forward, steps)

    def back(site: Site) -> Any:
        made, kernels = layer(site)
        return way_back(made, kernels.backward, kernels.forward)

    register(
        tag,
        run,
        back,
        evaluate=lambda site: run(site, evaluation=True),
        keep=lambda site: layer(site)[0].carry(),
        saved={"trace": lambda site: layer(site)[0].elements},
        layouts=dict.fromkeys(("w", "u", "u_m", "v"), "panels"),
    )
