"""Cells of recurrent layers: the functions of a row that a type of layer has, and their kernels."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nnctl.engine.jit import inline
from nnctl.engine.kernel import Kernel, tiles
from nnctl.ops.recurrent import SUMS, forward, shard, work
from nnctl.ops.recurrent_back import way_back
from nnctl.ops.recurrent_backward import back_room, backward
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


def plain(name: str, form: Callable[[Fields], Form], cell: Any, cell_back: Any) -> Cell:
    """A cell that has no parameters of its own."""

    @inline
    def run(at, before, own, scratch, g, unit):
        cell(at, before, g, unit)

    @inline
    def back(at, before, dh, dc, own, leaf, scratch, g, unit):
        cell_back(at, before, dh, dc, g, unit)

    return Cell(name, form, run, back)


def _kernels(cell: Cell) -> tuple[Kernel, Kernel]:
    """The loops over steps around the functions of a cell."""
    turn, first, turn_back, first_back = cell.forward, cell.first, cell.backward, cell.first_back

    def run(
        x, x_ld, w, u, b, b_h, v, b_v, own0, own1, own2, own3, own4, own5, start, start_ld, y, y_ld,
        trace, lengths, g, scratch, first_row, last_row, product1, product2, unit,
    ):  # fmt: skip
        forward(
            turn, first, x, x_ld, w, u, b, b_h, v, b_v, (own0, own1, own2, own3, own4, own5),
            start, start_ld, y, y_ld, trace, lengths, g, scratch, first_row, last_row,
            product1, product2, unit,
        )  # fmt: skip

    def back(
        dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, dend, dend_ld, u_turned, w_turned,
        v_turned, own0, own1, own2, own3, own4, own5, leaves, trace, lengths, zeros, g, scratch,
        first_row, last_row, product1, product2, unit,
    ):  # fmt: skip
        backward(
            turn_back, first_back, dy, dy_ld, dx, dx_ld, wants_dx, dstart, dstart_ld, dend, dend_ld,
            u_turned, w_turned, v_turned, (own0, own1, own2, own3, own4, own5), leaves, trace,
            lengths, zeros, g, scratch, first_row, last_row, product1, product2, unit,
        )  # fmt: skip

    run.__name__, back.__name__ = f"{cell.name}_forward", f"{cell.name}_backward"
    by_samples: Any = {"split": shard, "work": work}
    return (
        tiles("y trace", rowwise="x start", scratch=lambda sizes: SUMS, **by_samples)(run),
        tiles("dx trace dstart leaves", rowwise="dy dend", scratch=back_room, **by_samples)(back),
    )


def register_cell(tag: str, *cells: Cell, choose: Callable[[Fields], int] = lambda _: 0) -> None:
    """Say how recurrent layers of type ``tag`` run: by one cell, or by that which is chosen."""
    kernels = [_kernels(cell) for cell in cells]

    def layer(site: Site, evaluation: bool = False) -> tuple[Layer, tuple[Kernel, Kernel]]:
        k = choose(site.fields)
        return Layer(site, cells[k].form(site.fields), evaluation), kernels[k]

    def run(site: Site, evaluation: bool = False) -> Any:
        made, (kernel, _) = layer(site, evaluation)
        return made.forward(kernel)

    def back(site: Site) -> Any:
        made, (again, kernel) = layer(site)
        return way_back(made, kernel, again)

    register(
        tag,
        run,
        back,
        evaluate=lambda site: run(site, evaluation=True),
        keep=lambda site: layer(site)[0].carry(),
        saved={"trace": lambda site: layer(site)[0].elements},
        layouts=dict.fromkeys(("w", "u", "u_m", "v"), "panels"),
    )
