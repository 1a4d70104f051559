"""Gradients of a recurrent layer's weights on the CPU's tiles: steps are cut in blocks.

Weights that go over tiles are cut once a step of training, states and inputs before they are
multiplied (``parts.py``). Evaluation does without: there the numbers of a sample are to be those
of a sample alone.
"""

from nnctl.engine.amx import BLOCK, DEPTH, PART, SIDE, cut_right
from nnctl.engine.intrinsics import call_parts, call_turn, size_of, store_int
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.ops import parts
from nnctl.ops.conv_core import clear
from nnctl.ops.parts import PANEL, elements
from nnctl.ops.recurrent import row, span
from nnctl.ops.registry import Site

STEPS = 128  # of a block of the sum
WIDTH = 256  # rows and columns of a task, at most: fewer are cut more often
TASKS = 4  # of a block of rows, where each has half of that width at the least
LARGE = 1 << 16  # weights, at the least: to cut steps for fewer takes longer than it saves


def suits(site: Site, depth: int, columns: int) -> bool:
    """Whether the gradient of weights (depth, columns) is summed up on tiles."""
    return parts.suits(site, depth, columns) and depth * columns >= LARGE


def _split(sizes: Sizes) -> Split:
    depth, columns = sizes["depth"], sizes["g"].columns
    blocks = -(-depth // WIDTH)
    rows = -(-depth // blocks // DEPTH) * DEPTH
    together = min(WIDTH, max(WIDTH // 2, columns // TASKS // PANEL * PANEL))
    return Split(rows, blocks, together, -(-columns // together), columns, limit=depth)


def _room(sizes: Sizes) -> int:
    """Parts of a block of steps, and where its rows lie."""
    return elements(STEPS, 2 * WIDTH) + 2 * STEPS


@inline
def _places(source, apart, count, stride, total, blocks, zeros, places):
    """Write down where the rows of a block of steps lie; those that fill it up are zeros."""
    for p in range(blocks * DEPTH):
        at = source + 4 * (p // count * apart + p % count * stride)
        store_int(places + 8 * p, at if p < total else zeros)


@tiles(
    "dw",
    split=_split,
    whole="a trace lengths",
    scratch=_room,
    work=lambda sizes: sizes.capacity * sizes["g"].steps * sizes["g"].columns * sizes["depth"],
)
def tile_gradient(
    a, a_ld, a_first, a_step, depth, trace, before, lengths, g, dw, dw_accumulates, zeros,
    first_row, last_row, first_column, last_column, live, scratch, turn, tile_product, unit,
):  # fmt: skip
    """``recurrent_gradient`` on tiles."""
    size, rows, columns = size_of(unit), last_row - first_row, last_column - first_column
    long, many = min(g.steps, STEPS), max(1, STEPS // g.steps)
    places = scratch
    left = places + 8 * STEPS
    right = left + STEPS // DEPTH * WIDTH // SIDE * BLOCK
    begun = dw_accumulates != 0
    for n in range(0, live, many):
        found = min(many, live - n)
        first, end = span(lengths, n, n + found, g)
        for k in range(first, end, long):
            count = min(long, end - k)
            total = found * count
            blocks = (total + DEPTH - 1) // DEPTH
            at = a + size * (n * a_ld + a_first + k * a_step + first_row)
            _places(at, a_ld, count, a_step, total, blocks, zeros, places)
            cut_right(places, rows, blocks, left)
            for t in range(left, left + rows // SIDE * blocks * BLOCK, PART):
                call_turn(turn, t, SIDE, t, SIDE, SIDE, SIDE)
            at = row(trace, n, 0, g, size) + size * ((k + 1) * g.width + before + first_column)
            _places(at, g.rows * g.width, count, g.width, total, blocks, zeros, places)
            cut_right(places, columns, blocks, right)
            for column in range(0, columns, PANEL):
                out = dw + size * ((first_column + column) * depth + first_row * PANEL)
                start, ld = (out, PANEL) if begun else (zeros, 0)
                call_parts(
                    tile_product, left, right + column // SIDE * blocks * BLOCK, out, PANEL, start,
                    ld, rows, PANEL, blocks,
                )  # fmt: skip
            begun = True
    for column in range(0, 0 if begun else columns, PANEL):
        clear(dw + size * ((first_column + column) * depth + first_row * PANEL), rows * PANEL, unit)
