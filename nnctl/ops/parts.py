"""Products on the CPU's tiles (``engine/amx.py``): weights are cut once, what they multiply each
time."""

from nnctl.engine.amx import BLOCK, DEPTH, SIDE, WIDE, cut_left, cut_right
from nnctl.engine.cpu import HAS_TILES
from nnctl.engine.intrinsics import call_parts, store_int
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.ops.dense import panel_split
from nnctl.ops.registry import Call, Site, Temporary

PANEL = 32  # columns of a panel of weights
LEAST = 128  # depth or columns: with 64 it is no faster than vectors
HIGH = 2 * SIDE  # rows of a task: half as many read the weights twice as often


def suits(site: Site, *widths: int) -> bool:
    """Whether products of these depths and columns go over tiles: large ones of many samples, in
    float32, where the CPU has tiles and their sizes fill them."""
    fits = all(width >= LEAST and width % WIDE == 0 for width in widths)
    return HAS_TILES and site.lanes == SIDE and site.capacity >= SIDE and fits


def by_tiles(sizes: Sizes) -> Split:
    """Tasks of samples: two tiles of rows, or one where there would be a single task."""
    high = HIGH if sizes.capacity > HIGH else SIDE
    return Split(high, -(-sizes.capacity // high), 1, 1, 1)


def elements(rows: int, columns: int) -> int:
    """Room for the parts of numbers: three halves of theirs."""
    return 3 * rows * columns // 2


def _panels(sizes: Sizes) -> Split:
    split = panel_split(sizes, sizes["columns"])
    return Split(1, 1, split.columns, split.column_tasks, split.width, limit=1)


@tiles("parts", split=_panels, whole="w", scratch=lambda sizes: 2 * sizes["depth"])
def cut_weights(w, depth, columns, parts, first_column, scratch):
    """Cut weights (depth, columns), a panel a task."""
    for k in range(depth):
        store_int(scratch + 8 * k, w + 4 * (first_column * depth + k * PANEL))
    blocks = depth // DEPTH
    cut_right(scratch, PANEL, blocks, parts + first_column // SIDE * blocks * BLOCK)


def cut(name: str, w: str | Temporary, depth: int, columns: int) -> tuple[Call, Temporary]:
    """The call that cuts weights (depth, columns), and where they are then."""
    parts = Temporary(f"{name}.parts", elements(depth, columns))
    return Call(cut_weights, {"w": w, "depth": depth, "columns": columns, "parts": parts}), parts


@inline
def multiply_cut(a, a_ld, depth, w, columns, out, out_ld, start, start_ld, rows, room, product):
    """out = start + a @ w for some rows; w is cut. ``room`` is for the parts of a."""
    cut_left(a, a_ld, rows, depth, room)
    blocks = depth // DEPTH
    call_parts(product, room, w, out, out_ld, start, start_ld, rows, columns, blocks)
