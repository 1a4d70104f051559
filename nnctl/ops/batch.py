"""Ops at the two ends of the tape: take a batch from the data, sum its loss, hand results out."""

from nnctl.engine import control
from nnctl.engine.intrinsics import load_int, not_finite, store_int, view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import Split, elementwise, rows, tiles

SINGLE = Split(1, 1, 1, 1, 1, limit=1)


def single(sizes) -> Split:
    return SINGLE


@tiles("", split=single)
def begin_step(memory, unit):
    """Go to the next step of the call: its first sample and its number of samples."""
    index = load_int(memory + control.INDEX) + 1
    store_int(memory + control.INDEX, index)
    store_int(memory + control.STEP, load_int(memory + control.STEP) + 1)
    row = load_int(memory + control.STEPS) + 16 * index
    store_int(memory + control.START, load_int(row))
    store_int(memory + control.LIVE, load_int(row + 8))


@rows("x")
def gather(source, order, x, x_width, scale):
    """x_i = scale * source[order_i]: the batch's samples, whatever type the data have."""
    for i in range(x.shape[0]):
        r = order[i]
        for j in range(x_width):
            x[i, j] = source[r, j] * scale


@rows("x")
def gather_normalized(source, order, x, x_width, mean, scale):
    """x_i = (source[order_i] - mean) * scale in double precision, for data that come in it.

    A column of large numbers that differ little (times, say) would lose them in single precision.
    """
    for i in range(x.shape[0]):
        r = order[i]
        for j in range(x_width):
            x[i, j] = (source[r, j] - mean[j]) * scale[j]


@rows("x")
def normalize(x, x_width, mean, scale):
    """x = (x - mean) * scale, by column; fitted on the training part."""
    for i in range(x.shape[0]):
        for j in range(x_width):
            x[i, j] = (x[i, j] - mean[j]) * scale[j]


@rows("labels")
def gather_labels(source, order, labels):
    for i in range(labels.shape[0]):
        labels[i] = source[order[i], 0]


@rows("counts")
def full_length(counts, steps):
    """All samples of a sequence are as long as it can be."""
    for i in range(counts.shape[0]):
        counts[i] = steps


@rows("counts")
def lengths_behind(given, counts, times, more, parts):
    """The lengths of sequences behind a layer: (times * length + more) // parts, or none."""
    for i in range(counts.shape[0]):
        counts[i] = max((times * given[i] + more) // parts, 0)


@inline
def log_mean(losses, total, weight, is_first, count, capacity, live, memory):
    """Add weight * sum(losses) / count to the step's loss: four quarters of the batch, then their
    tree."""
    values = view(losses, live, 0.0)
    quarter = (capacity + 3) // 4
    sums = view(total, 5, 0.0)
    for q in range(4):
        sums[q] = 0.0
        for i in range(min(q * quarter, live), min((q + 1) * quarter, live)):
            sums[q] += values[i]
    mean = ((sums[0] + sums[1]) + (sums[2] + sums[3])) / count
    place = load_int(memory + control.LOSSES) + 8 * load_int(memory + control.INDEX)
    log = view(place, 1, 0.0)
    log[0] = weight * mean + (0.0 if is_first else log[0])
    if not_finite(log[0]) != 0:
        store_int(memory + control.FAILED, 1)


@tiles("total", split=single, whole="losses")
def sum_losses(losses, total, weight, is_first, capacity, live, memory, unit):
    """Add weight * mean(losses) to the step's loss."""
    log_mean(losses, total, weight, is_first, live, capacity, live, memory)


@rows("out")
def hand_out(x, x_width, out):
    """Copy the rows of a result to their place among all samples."""
    for i in range(x.shape[0]):
        for j in range(x_width):
            out[i, j] = x[i, j]


@rows("out")
def hand_out_losses(losses, out):
    for i in range(losses.shape[0]):
        out[i, 0] = losses[i]


@elementwise("dp")
def add_penalty(p, dp, l1, l2):
    """dp += l1 sign(p) + l2 p, the gradient of l1 sum |p| + l2/2 sum p^2; sign(0) = 0."""
    return dp + l2 * p + (l1 if p > 0 else (-l1 if p < 0 else p * l1))


CHUNK = 4096


@tiles("norms", split=lambda sizes: Split(1, sizes["chunks"], 1, 1, 1, limit=sizes["chunks"]))
def square_sums(dp, chunks, chunk, norms, first_row, unit):
    """norms_c = sum of squares of chunk c of the gradients, in double precision."""
    g = view(dp, chunks * chunk, unit)
    total = 0.0
    for i in range(first_row * chunk, (first_row + 1) * chunk):
        total += float(g[i]) * float(g[i])
    view(norms, chunks, 0.0)[first_row] = total


@tiles("norms", split=single)
def gradient_norm(norms, chunks, memory, unit):
    """Write the root of the sum of the chunks' sums, in order, as the step's gradient norm."""
    sums = view(norms, chunks, 0.0)
    total = 0.0
    for c in range(chunks):
        total += sums[c]
    place = load_int(memory + control.NORMS) + 8 * load_int(memory + control.INDEX)
    view(place, 1, 0.0)[0] = total**0.5
