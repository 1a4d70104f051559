"""Rows of a depthwise convolution, a vector of channels wide, sums in registers.

Four places of a row are summed at once: each weight is read once for all of them, and no sum waits
for the one before it. An element is one chain in the order of the window, however rows are cut.
"""

from nnctl.engine.jit import inline
from nnctl.engine.vectors import multiply_add, plus, put, spread, take


@inline
def slide(
    read, hop, weights, turn, out, pixel, start, mask, count, kernel_depth, kernel_height,
    kernel_width, jump_depth, jump_height, jump_width, unit,
):  # fmt: skip
    """out[i] = start + the sum over a window of read[i hop + ...] * weights, for ``count`` places.

    Bytes: ``hop`` from window to window, ``turn`` from weight to weight, ``pixel`` from output to
    output, ``jump_...`` from place to place of a window.
    """
    i = 0
    while i + 4 <= count:
        first, place = read + hop * i, weights
        t0, t1, t2, t3 = start, start, start, start
        for d in range(kernel_depth):
            for h in range(kernel_height):
                at = first + d * jump_depth + h * jump_height
                for _ in range(kernel_width):
                    weight = take(place, mask, unit)
                    t0 = multiply_add(take(at, mask, unit), weight, t0)
                    t1 = multiply_add(take(at + hop, mask, unit), weight, t1)
                    t2 = multiply_add(take(at + 2 * hop, mask, unit), weight, t2)
                    t3 = multiply_add(take(at + 3 * hop, mask, unit), weight, t3)
                    at += jump_width
                    place += turn
        put(out + pixel * i, t0, mask)
        put(out + pixel * (i + 1), t1, mask)
        put(out + pixel * (i + 2), t2, mask)
        put(out + pixel * (i + 3), t3, mask)
        i += 4
    while i < count:
        place, total = weights, start
        for d in range(kernel_depth):
            for h in range(kernel_height):
                at = read + hop * i + d * jump_depth + h * jump_height
                for _ in range(kernel_width):
                    total = multiply_add(take(at, mask, unit), take(place, mask, unit), total)
                    at += jump_width
                    place += turn
        put(out + pixel * i, total, mask)
        i += 1


@inline
def gather_weights(
    read, back, part, turn, mask, count, hop, jump, rows, planes, row, plane, back_row, pixel, unit
):
    """part[k] += the sum over places of read[place + k jump] * back[place], for ``count`` places k.

    Bytes: ``hop``, ``row`` and ``plane`` from window to window, ``pixel`` and ``back_row`` from
    output to output, ``turn`` from weight to weight. ``rows``: how many outputs a row has, how many
    rows a plane; ``planes``.
    """
    width, height = rows
    k = 0
    while k < count:
        several = k + 3 <= count
        t0, t1, t2 = spread(unit - unit), spread(unit - unit), spread(unit - unit)
        for d in range(planes):
            for h in range(height):
                at = read + k * jump + d * plane + h * row
                sent = back + (d * height + h) * back_row
                if several:
                    for _ in range(width):
                        given = take(sent, mask, unit)
                        t0 = multiply_add(take(at, mask, unit), given, t0)
                        t1 = multiply_add(take(at + jump, mask, unit), given, t1)
                        t2 = multiply_add(take(at + 2 * jump, mask, unit), given, t2)
                        at += hop
                        sent += pixel
                else:
                    for _ in range(width):
                        given = take(sent, mask, unit)
                        t0 = multiply_add(take(at, mask, unit), given, t0)
                        at += hop
                        sent += pixel
        place = part + turn * k
        put(place, plus(take(place, mask, unit), t0), mask)
        if several:
            put(place + turn, plus(take(place + turn, mask, unit), t1), mask)
            put(place + 2 * turn, plus(take(place + 2 * turn, mask, unit), t2), mask)
        k += 3 if several else 1
