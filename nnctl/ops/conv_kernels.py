"""The kernels of convolutions: forward, the gradient of the weights, and the way back to the input.

The gradient of weights is a sum over samples: every shard of samples sums its own into a leaf, and
``conv_reduce`` adds the leaves up, those of a quarter of the batch in order, then the quarters.
"""

from nnctl.engine.intrinsics import call_product, call_turn, lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.ops.conv_core import clear, convolve, copy, fold, rows_together, staged, tap_offset
from nnctl.ops.dense import columns_of, padded, step_of

LINE = 16384  # bytes of output gradients that stay in the first-level cache
CHUNK = 4096  # elements of a task of a reduction


def weight_elements(filters: int, window: int, groups: int, lanes: int) -> int:
    """Elements of all panels of a convolution's weights."""
    return groups * window * padded(filters // groups, lanes)


def _room(sizes: Sizes) -> int:
    """A staged sample and rows of outputs in whole vectors."""
    g = sizes["g"]
    places = (rows_together(g) - 1) * (g.row // g.channels) + g.out_width
    return int(g.staged * g.staging + 2 * sizes.lanes * (places + 1))


@tiles(
    "y",
    split=None,
    rowwise="x",
    scratch=_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products,
)
def conv_forward(x, x_ld, w, b, y, y_ld, g, first_row, last_row, scratch, product1, product2, unit):
    """y = b + x * w, sample by sample."""
    item = size_of(unit)
    room = scratch + item * g.staged * g.reach_depth * g.reach_height * g.reach_width * g.channels
    for n in range(first_row, last_row):
        a = staged(x + item * n * x_ld, scratch, g, unit)
        convolve(a, w, b, y + item * n * y_ld, room, g, product1, product2, unit)


def leaf_split(sizes: Sizes) -> Split:
    """A task for each leaf of a sum over samples."""
    rows, width = sizes["leaf_rows"], sizes["dy"]
    return Split(rows, -(-sizes.capacity // rows), width, 1, width)


def _gradient_room(sizes: Sizes) -> int:
    g = sizes["g"]
    return int(g.staged * g.staging + 2 * sizes.lanes * g.positions)


@inline
def _panel_gradient(a, dy, ld, part, group, step, product, g, unit):
    """Add one sample's part to a panel of dw: (kernel place, channel, filter of the panel)."""
    item = size_of(unit)
    rows = max(1, LINE // (item * step * g.out_width))
    for d in range(g.out_depth):
        for h in range(0, g.out_height, rows):
            count = min(rows, g.out_height - h)
            back = dy + item * (d * g.out_height + h) * g.out_width * ld
            read = a + item * (
                d * g.stride_depth * g.plane
                + h * g.stride_height * g.row
                + group * (g.channels // g.groups)
            )
            for t in range(g.taps):
                at = read + item * tap_offset(t, g)
                for r in range(g.rounds):
                    out = part + item * (t * g.rounds + r) * g.length * step
                    call_product(
                        product, at + item * r * g.round_step,
                        1, g.stride_height * g.row, g.stride_width * g.channels,
                        back, g.out_width * ld, ld, out, step, out, step,
                        g.length, count, g.out_width,
                    )  # fmt: skip


@tiles(
    "parts",
    split=leaf_split,
    rowwise="x dy",
    scratch=_gradient_room,
    work=lambda sizes: sizes.capacity * sizes["g"].products,
)
def conv_gradient(
    x, x_ld, dy, dy_ld, parts, part_size, leaf_rows, g, first_row, last_row, task, scratch,
    product1, product2, unit,
):  # fmt: skip
    """The leaf of dw of a shard of samples: the sum of x * dy over its samples and all places."""
    item, lanes = size_of(unit), lanes_of(unit)
    filters, inner = g.filters // g.groups, g.channels // g.groups
    window = g.kernel_depth * g.kernel_height * g.kernel_width * inner
    places = g.out_depth * g.out_height * g.out_width
    room = scratch + item * g.staged * g.reach_depth * g.reach_height * g.reach_width * g.channels
    part = parts + item * task * part_size
    clear(part, part_size, unit)
    for n in range(first_row, last_row):
        a = staged(x + item * n * x_ld, scratch, g, unit)
        for group in range(g.groups):
            leaf = part + item * group * window * columns_of(filters, lanes)
            for column in range(0, filters, 2 * lanes):
                step = step_of(filters - column, lanes)
                used = min(step, filters - column)
                product = product1 if step == lanes else product2
                back, ld = dy + item * (n * dy_ld + group * filters + column), g.filters
                if used < step or g.out_width * g.filters != g.line:
                    # columns beyond the filters, and places beyond the row, stay zero
                    for p in range(places):
                        row, at = p // g.out_width, (p % g.out_width) * g.filters
                        found = max(min(used, g.line - group * filters - column - at), 0)
                        copy(back + item * (row * g.line + at), room + item * p * step, found, unit)
                        clear(room + item * (p * step + found), step - found, unit)
                    back, ld = room, step
                _panel_gradient(
                    a, back, ld, leaf + item * window * column, group, step, product, g, unit
                )


def _wide(filters: int) -> int:
    """Numbers of whole places side by side: enough for loops to become vectors."""
    return filters * max(1, 64 // filters)


_wide_of = inline(_wide)


@tiles("parts", split=leaf_split, rowwise="dy", scratch=lambda sizes: _wide(sizes["filters"]))
def conv_bias_gradient(
    dy, dy_ld, parts, part_size, leaf_rows, places, filters, first_row, last_row, task, scratch,
    unit,
):  # fmt: skip
    """The leaf of db of a shard of samples: each sample's sum over all places, then their sum.

    Several places lie side by side: each column is summed, then the columns of a filter in order.
    """
    item, wide = size_of(unit), _wide_of(filters)
    part = view(parts + item * task * part_size, filters, unit)
    total = view(scratch, wide, unit)
    clear(parts + item * task * part_size, part_size, unit)
    for n in range(first_row, last_row):
        clear(scratch, wide, unit)
        for start in range(0, places * filters, wide):
            count = min(wide, places * filters - start)
            row = view(dy + item * (n * dy_ld + start), count, unit)
            for j in range(count):
                total[j] += row[j]
        for f in range(filters):
            for j in range(f, wide, filters):
                part[f] += total[j]


def _reduce_split(sizes: Sizes) -> Split:
    count = sizes["part_size"]
    chunk = min(CHUNK, count)
    return Split(chunk, -(-count // chunk), 1, 1, 1, limit=count)


@tiles("dw", split=_reduce_split, whole="parts", scratch=lambda sizes: 4 * CHUNK)
def conv_reduce(
    parts, part_size, leaf_rows, capacity, dw, dw_accumulates, first_row, last_row, live, scratch,
    unit,
):  # fmt: skip
    """dw (+)= the sum of the leaves: (q0 + q1) + (q2 + q3), in each quarter one after another."""
    item = size_of(unit)
    count = last_row - first_row
    clear(scratch, 4 * CHUNK, unit)
    quarter = (capacity + 3) // 4
    for start in range(0, live, leaf_rows):
        q = view(scratch + item * (start // quarter) * CHUNK, count, unit)
        leaf = view(parts + item * ((start // leaf_rows) * part_size + first_row), count, unit)
        for j in range(count):
            q[j] += leaf[j]
    q = view(scratch, 4 * CHUNK, unit)
    out = view(dw + item * first_row, count, unit)
    for j in range(count):
        total = (q[j] + q[CHUNK + j]) + (q[2 * CHUNK + j] + q[3 * CHUNK + j])
        out[j] = out[j] + total if dw_accumulates else total


def _turn_split(sizes: Sizes) -> Split:
    g, step = sizes["g"], 2 * sizes.lanes
    blocks = -(-(g.channels // g.groups) // step) * g.groups
    return Split(1, blocks, 1, 1, 1, limit=blocks)


@tiles("turned", split=_turn_split, whole="w")
def conv_turn(w, turned, g, flipped, first_row, turn, unit):
    """The weights with channels and filters exchanged, a panel of channels a task.

    (panel of filters, place, channel, filter) becomes (panel of channels, place, filter, channel);
    with ``flipped`` the places in the opposite order, as the way back to the input reads them.
    """
    item, lanes = size_of(unit), lanes_of(unit)
    filters, inner = g.filters // g.groups, g.channels // g.groups
    places = g.kernel_depth * g.kernel_height * g.kernel_width
    blocks = -(-inner // (2 * lanes))
    group, channel = first_row // blocks, (first_row % blocks) * 2 * lanes
    step = step_of(inner - channel, lanes)
    used = min(step, inner - channel)
    source = w + item * group * places * inner * columns_of(filters, lanes)
    target = turned + item * places * filters * (group * columns_of(inner, lanes) + channel)
    for p in range(places):
        to = target + item * (places - 1 - p if flipped else p) * filters * step
        if used < step:
            clear(to, filters * step, unit)
        for column in range(0, filters, 2 * lanes):
            wide = step_of(filters - column, lanes)
            read = source + item * (places * inner * column + (p * inner + channel) * wide)
            call_turn(
                turn, read, wide, to + item * column * step, step, used,
                min(wide, filters - column),
            )  # fmt: skip


@tiles("dx", split=None, rowwise="da")
def conv_fold(da, da_ld, dx, dx_ld, g, first_row, last_row, unit):
    """dx = the gradient of a staged sample (reach places), borders added to what they repeat."""
    item = size_of(unit)
    for n in range(first_row, last_row):
        fold(da + item * n * da_ld, dx + item * n * dx_ld, 1, g, unit)
