"""What normalizations share: sums over the places of a sample, and the pass that applies them.

A sample is (places, C) numbers, C channels last. Rows of few channels make loops too short to
become vectors, so several places lie side by side in one row of at least 64 numbers: ``wide`` of
them, a multiple of C, with a table of the same width for each channel's factors. Sums are in double
precision and in a fixed order: of the places that fall on one column in order, then the columns of
a channel in order.
"""

from __future__ import annotations

from nnctl.engine.intrinsics import view
from nnctl.engine.jit import helper, inline
from nnctl.engine.kernel import Sizes, Split
from nnctl.ops.registry import Site, Temporary

LEAST = 64


def width_of(channels: int) -> int:
    """Numbers in a row of the tables: whole places, at least ``LEAST`` of them."""
    return channels * -(-LEAST // channels)


wide_of = inline(width_of)


def tables(count: int, key: str = "channels"):
    """Scratch for ``count`` tables of double precision, whatever the network's own is."""

    def scratch(sizes: Sizes) -> int:
        return 2 * count * width_of(int(sizes[key]))

    return scratch


def by_channels(sizes: Sizes) -> Split:
    """Blocks of channels, each over all samples."""
    channels = int(sizes["channels"])
    columns = 2 * sizes.lanes
    return Split(1, 1, columns, -(-channels // columns), channels, limit=1)


@inline
def repeat(table, channels, wide):
    """Copy a table's first C numbers over the rest of it."""
    for j in range(channels, wide):
        table[j] = table[j - channels]


@helper
def combine_quarters(sums, count, out):
    """out[j] = (q0 + q1) + (q2 + q3), of four quarters of ``count`` sums one after another."""
    for j in range(count):
        low = sums[j] + sums[count + j]
        out[j] = low + (sums[2 * count + j] + sums[3 * count + j])


@helper
def clear_table(table, count):
    for j in range(count):
        table[j] = 0.0


@inline
def _tables_about(values, channels, wide, place):
    """A table of each channel's value, repeated over the row, and two cleared ones for sums."""
    about = view(place, wide, 0.0)
    first, second = view(place + 8 * wide, wide, 0.0), view(place + 16 * wide, wide, 0.0)
    for c in range(channels):
        about[c] = values[c]
    repeat(about, channels, wide)
    clear_table(first, wide)
    clear_table(second, wide)
    return about, first, second


@helper
def channel_moments(row, width, channels, place, sums):
    """sums[c] = sum of the channel's numbers, sums[C + c] = sum of their squared distances from
    their mean; taken about the channel's first number, so that a large mean costs no digits."""
    wide = wide_of(channels)
    shift, first, second = _tables_about(row, channels, wide, place)
    for start in range(0, width, wide):
        count = min(wide, width - start)
        part = row[start : start + count]
        for j in range(count):
            d = float(part[j]) - shift[j]
            first[j] += d
            second[j] += d * d
    places = width // channels
    for c in range(channels):
        total, squares = 0.0, 0.0
        for j in range(c, wide, channels):
            total += first[j]
            squares += second[j]
        sums[c] = places * shift[c] + total
        rest = squares - total * total / places
        sums[channels + c] = 0.0 if rest < 0 else rest  # NaN is not below, and stays


@helper
def channel_slopes(row, drow, width, channels, mean, place, sums):
    """sums[c] = sum of dy, sums[C + c] = sum of dy (x - mean_c), over the places of a sample."""
    wide = wide_of(channels)
    middle, first, second = _tables_about(mean, channels, wide, place)
    for start in range(0, width, wide):
        count = min(wide, width - start)
        part, dpart = row[start : start + count], drow[start : start + count]
        for j in range(count):
            d = float(dpart[j])
            first[j] += d
            second[j] += d * (float(part[j]) - middle[j])
    for c in range(channels):
        total, products = 0.0, 0.0
        for j in range(c, wide, channels):
            total += first[j]
            products += second[j]
        sums[c] = total
        sums[channels + c] = products


@inline
def scaled(row, out, width, wide, middle, factor, offset):
    """out = (x - middle) factor + offset, each by channel."""
    for start in range(0, width, wide):
        count = min(wide, width - start)
        source, target = row[start : start + count], out[start : start + count]
        for j in range(count):
            target[j] = (source[j] - middle[j]) * factor[j] + offset[j]


@inline
def scaled_back(row, drow, out, width, wide, middle, factor, slope, offset):
    """dx = factor dy - slope (x - middle) - offset, each by channel."""
    for start in range(0, width, wide):
        count = min(wide, width - start)
        source, dsource = row[start : start + count], drow[start : start + count]
        target = out[start : start + count]
        for j in range(count):
            target[j] = factor[j] * dsource[j] - slope[j] * (source[j] - middle[j]) - offset[j]


@helper
def quarter_sums(sums, stride, first, last, capacity, live, place, out):
    """out[j] = sum over the samples of sums[sample, first + j]: four quarters of the batch's room,
    each in order, then (q0 + q1) + (q2 + q3)."""
    count, quarter = last - first, (capacity + 3) // 4
    totals = view(place, 4 * count, 0.0)
    clear_table(totals, 4 * count)
    for n in range(live):
        leaf = sums[n * stride + first : n * stride + last]
        total = totals[(n // quarter) * count : (n // quarter + 1) * count]
        for j in range(count):
            total[j] += leaf[j]
    combine_quarters(totals, count, out)


@helper
def add_or_write(target, value, accumulates):
    """Write the values, or add them to what is there."""
    for j in range(len(target)):
        target[j] = target[j] + value[j] if accumulates else value[j]


def trained_names(site: Site, channels: int) -> dict[str, str | int | Temporary]:
    """What stands for gamma and beta where they are left out, and the samples' sums."""
    names: dict[str, str | int | Temporary] = {
        "channels": channels,
        "capacity": site.capacity,
        "sums": Temporary("sums", 2 * channels * site.capacity, "d"),
    }
    for name in ("gamma", "beta"):
        if name not in site.parameters:
            names |= {name: "zeros", f"d{name}": "zeros", f"d{name}_accumulates": 0}
    return names
