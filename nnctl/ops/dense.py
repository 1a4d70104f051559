"""Fully connected layer:  y = x @ w + b,  and the same with another layer's w turned round.

Shapes: x (N, I), w (I, O), b (O,) -> y (N, O). Backward: dx = dy @ w.T, dw += x.T @ dy, and db +=
the sum of dy over the samples.

``w`` lies in panels: columns in blocks of two vectors, each block a contiguous (I, 2 vectors) table
(the last block one vector wide where that is enough). The forward product reads panels as they lie.
For dx the same panels are the broadcast operand of a product whose columns are samples: only the
small dy is turned round (``across``), never w. Every element is one chain of multiply-adds in the
order of its inputs (or of its samples, for dw): the task split cannot change a bit.
"""

from nnctl.engine.intrinsics import call_product, call_turn, lanes_of, size_of, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Sizes, Split, tiles
from nnctl.ops.registry import Call, Site, Temporary

Names = dict[str, str | int | float | Temporary]
DEPTH = 256  # of a block of the sum: 256 rows of a panel stay in the first-level cache


def panel_step(left: int, lanes: int) -> int:
    """Columns of the next panel where ``left`` columns are left: one vector or two."""
    return lanes if left <= lanes else 2 * lanes


step_of = inline(panel_step)


def padded(width: int, lanes: int) -> int:
    """Columns of all panels of a ``width``."""
    last = width % (2 * lanes)
    return width if not last else width - last + (lanes if last <= lanes else 2 * lanes)


columns_of = inline(padded)


def panel_split(sizes: Sizes | Site, width: int) -> Split:
    """One panel of columns a task, all samples."""
    step = panel_step(width, sizes.lanes)
    return Split(sizes.capacity, 1, step, -(-width // step), width)


def _product_split(sizes: Sizes | Site, width: int) -> Split:
    """Panels by blocks of at least 32 samples: enough tasks for many cores, few for small nets."""
    panels = panel_split(sizes, width)
    blocks = min(-(-sizes.capacity // 32), -(-16 // panels.column_tasks))
    rows = -(-sizes.capacity // blocks)
    rows += -rows % 4
    return Split(rows, -(-sizes.capacity // rows), panels.columns, panels.column_tasks, width)


def _gradient_split(sizes: Sizes | Site, inputs: int, outputs: int) -> Split:
    """Blocks of inputs by panels of outputs: about 32 tasks, of 48 inputs at the least."""
    panels = panel_split(sizes, outputs)
    blocks = max(1, min(inputs // 48, -(-32 // panels.column_tasks)))
    rows = -(-inputs // blocks)
    rows += -rows % 4
    return Split(
        rows, -(-inputs // rows), panels.columns, panels.column_tasks, outputs, limit=inputs
    )


@tiles(
    "y",
    split=lambda sizes: _product_split(sizes, sizes["y"]),
    rowwise="x",
    work=lambda sizes: sizes.capacity * sizes["x"] * sizes["y"],
)
def dense_forward(
    x, x_ld, x_width, w, b, y, y_ld, y_width, first_row, last_row, first_column, product1, product2,
    unit,
):  # fmt: skip
    """y = x @ w + b for a block of samples and a panel of columns."""
    size, lanes = size_of(unit), lanes_of(unit)
    step = step_of(y_width - first_column, lanes)
    product = product1 if step == lanes else product2
    panel = w + size * first_column * x_width
    out = y + size * (first_row * y_ld + first_column)
    rows = last_row - first_row
    depth = -(-x_width // -(-x_width // DEPTH))
    for k in range(0, x_width, depth):
        start, stride = (b + size * first_column, 0) if k == 0 else (out, y_ld)
        call_product(
            product, x + size * (first_row * x_ld + k), x_ld, 0, 1,
            panel + size * k * step, 0, step, out, y_ld, start, stride,
            rows, 1, min(depth, x_width - k),
        )  # fmt: skip


def _panels(site: Site, width: int) -> Temporary:
    return Temporary(f"panels{width}", site.capacity * padded(width, site.lanes))


def _across(site: Site, width: int) -> Temporary:
    blocks = -(-site.capacity // (2 * site.lanes))
    return Temporary(f"across{width}", 2 * blocks * site.lanes * padded(width, site.lanes))


@tiles(
    "panels across db",
    split=lambda sizes: panel_split(sizes, sizes["dy"]),
    scratch=lambda sizes: 8 * sizes.lanes,
)
def dense_prepare(
    dy, dy_ld, dy_width, panels, across, db, db_accumulates, wants_panels, wants_across, wants_db,
    capacity, live, first_column, scratch, turn, unit,
):  # fmt: skip
    """Lay out a panel of dy (N, O) for the products of the backward pass, and sum it into db.

    ``panels``: (panel, N, columns of the panel), zero beyond the width: read again and again, it
    stays in the first-level cache. ``across``: (block of samples, O, samples of the block), zero
    beyond the width and the live samples. db is the sum of four quarters of the batch:
    (q0 + q1) + (q2 + q3).
    """
    size, lanes = size_of(unit), lanes_of(unit)
    columns = step_of(dy_width - first_column, lanes)
    used = min(columns, dy_width - first_column)
    base = dy + size * first_column
    if wants_panels:
        place = panels + size * first_column * capacity
        for r in range(live):
            source = view(base + size * r * dy_ld, used, unit)
            target = view(place + size * r * columns, columns, unit)
            for j in range(used):
                target[j] = source[j]
            for j in range(used, columns):
                target[j] = 0
    if wants_across:
        block = step_of(capacity, lanes)
        total = columns_of(dy_width, lanes)
        for start in range(0, live, block):
            out = across + size * ((start // block) * total + first_column) * block
            rows = min(block, live - start)
            call_turn(turn, base + size * start * dy_ld, dy_ld, out, block, rows, used)
            if rows < block or used < columns:
                rest = view(out, columns * block, unit)
                for j in range(columns):
                    for r in range(rows if j < used else 0, block):
                        rest[j * block + r] = 0
    if wants_db:
        quarter = (capacity + 3) // 4
        s = view(scratch, 8 * lanes, unit)
        for j in range(8 * lanes):
            s[j] = 0
        for r in range(live):
            row = view(base + size * r * dy_ld, used, unit)
            total_q = view(scratch + size * (r // quarter) * 2 * lanes, used, unit)
            for j in range(used):
                total_q[j] += row[j]
        out_b, n = view(db + size * first_column, used, unit), 2 * lanes
        for j in range(used):
            total_j = (s[j] + s[n + j]) + (s[2 * n + j] + s[3 * n + j])
            out_b[j] = out_b[j] + total_j if db_accumulates else total_j


@tiles(
    "dx",
    split=lambda sizes: panel_split(sizes, sizes["dx"]),
    whole="across",
    scratch=lambda sizes: 4 * sizes.lanes * sizes.lanes,
    work=lambda sizes: sizes.capacity * sizes["across_width"] * sizes["dx"],
)
def dense_across(
    across, across_width, w, b, wants_bias, zeros, dx, dx_ld, dx_width, first_column, last_column,
    capacity, live, scratch, product1, product2, turn, unit,
):  # fmt: skip
    """dx = dy @ w.T (+ b) for a block of columns of dx; ``across`` is dy (N, across_width) turned.

    The product gives the block turned round (column, sample), in scratch; then it is turned back.
    """
    size, lanes = size_of(unit), lanes_of(unit)
    block = step_of(capacity, lanes)
    product = product1 if capacity <= lanes else product2
    total = columns_of(across_width, lanes)
    full = total // (2 * lanes)
    columns = last_column - first_column
    bias = view(b + size * first_column, columns, unit)
    for start in range(0, live, block):
        source = across + size * (start // block) * total * block
        if full:
            call_product(
                product, w + size * first_column * 2 * lanes, 2 * lanes,
                dx_width * 2 * lanes, 1, source, 2 * lanes * block, block,
                scratch, block, zeros, 0, columns, full, 2 * lanes,
            )  # fmt: skip
        if total > full * 2 * lanes:
            before = full * 2 * lanes
            initial, stride = (scratch, block) if full else (zeros, 0)
            call_product(
                product, w + size * (before * dx_width + first_column * lanes), lanes, 0, 1,
                source + size * before * block, 0, block, scratch, block, initial, stride,
                columns, 1, lanes,
            )  # fmt: skip
        rows = min(block, live - start)
        place = dx + size * (start * dx_ld + first_column)
        call_turn(turn, scratch, block, place, dx_ld, columns, rows)
        if wants_bias:
            target = view(place, rows * dx_ld, unit)
            for r in range(rows):
                for j in range(columns):
                    target[r * dx_ld + j] += bias[j]


@tiles(
    "dw",
    split=lambda sizes: _gradient_split(sizes, sizes["x"], sizes["panels_width"]),
    whole="x panels",
    work=lambda sizes: sizes.capacity * sizes["x"] * sizes["panels_width"],
)
def dense_gradient(
    x, x_ld, x_width, panels, panels_width, dw, dw_accumulates, zeros, first_row, last_row,
    first_column, capacity, live, product1, product2, unit,
):  # fmt: skip
    """dw (+)= x.T @ dy for a block of inputs and a panel of outputs, samples in order."""
    size, lanes = size_of(unit), lanes_of(unit)
    step = step_of(panels_width - first_column, lanes)
    product = product1 if step == lanes else product2
    panel = panels + size * first_column * capacity
    out = dw + size * (first_column * x_width + first_row * step)
    for n in range(0, live, DEPTH):
        start, stride = (zeros, 0) if n == 0 and not dw_accumulates else (out, step)
        call_product(
            product, x + size * (first_row + n * x_ld), 1, 0, x_ld,
            panel + size * n * step, 0, step, out, step, start, stride,
            last_row - first_row, 1, min(DEPTH, live - n),
        )  # fmt: skip


def _has_bias(site: Site) -> bool:
    return "b" in site.parameters


def _prepare(
    site: Site, of: str, width: int, panels: bool = False, across: bool = False, bias: bool = False
) -> Call:
    names: Names = {
        "dy": of,
        "panels": _panels(site, width),
        "wants_panels": int(panels),
        "across": _across(site, width),
        "wants_across": int(across),
        "wants_db": int(bias),
        "capacity": site.capacity,
    }
    if not bias:
        names |= {"db": "zeros", "db_accumulates": 0}
    return Call(dense_prepare, names)


def forward(site: Site) -> list[Call]:
    """Tied and turned round (``transposed``), the forward product is the other layer's dx."""
    bias: Names = {} if _has_bias(site) else {"b": "zeros"}
    if not site.transposed:
        return [Call(dense_forward, bias)]
    width = site.inputs[0]
    turned: Names = {"dx": "y", "across": _across(site, width), "across_width": width}
    turned |= {"wants_bias": int(_has_bias(site)), "capacity": site.capacity, **bias}
    return [_prepare(site, "x", width, across=True), Call(dense_across, turned)]


def _weights(site: Site, x: str, width: int) -> Call:
    """dw += x.T @ what was laid out in panels of ``width``."""
    names: Names = {"x": x, "panels": _panels(site, width), "panels_width": width}
    return Call(dense_gradient, {**names, "capacity": site.capacity})


def backward(site: Site) -> list[Call]:
    if site.transposed:
        return _backward_turned(site)
    width, needs_dx = site.output, site.needs_dx[0]
    calls = [
        _prepare(site, "dy", width, panels=True, across=needs_dx, bias=_has_bias(site)),
        _weights(site, "x", width),
    ]
    if needs_dx:
        turned: Names = {"across": _across(site, width), "across_width": width, "b": "zeros"}
        calls.append(Call(dense_across, {"capacity": site.capacity, **turned, "wants_bias": 0}))
    return calls


def _backward_turned(site: Site) -> list[Call]:
    """dx = dy @ w, and dw += dy.T @ x: the roles of input and output change places."""
    width = site.inputs[0]
    calls = [_prepare(site, "dy", site.output, bias=True)] if _has_bias(site) else []
    calls += [_prepare(site, "x", width, panels=True), _weights(site, "dy", width)]
    if site.needs_dx[0]:
        calls.append(Call(dense_forward, {"x": "dy", "y": "dx", "b": "zeros"}))
    return calls
