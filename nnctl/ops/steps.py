"""Targets over steps: a batch's labels or numbers taken, its steps that count, their mean loss.

A step counts if its label is not negative, if none of its numbers is NaN. The loss of a batch is
the mean over the steps of all its samples that count; it is 0 where there is none.
"""

import math

from nnctl.engine.intrinsics import view
from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows, tiles
from nnctl.ops.batch import log_mean, single


@inline
def counts_here(target, i, start, end):
    """Whether no number of sample i from ``start`` to ``end`` is NaN."""
    found = True
    for j in range(start, end):
        found = found and not math.isnan(target[i, j])
    return found


@rows("labels counts")
def gather_step_labels(source, order, labels, steps, counts):
    """Take the labels (N, steps) of the batch, and count those of each sample."""
    for i in range(labels.shape[0]):
        r, found = order[i], 0
        for s in range(steps):
            labels[i, s] = source[r, s]
            if labels[i, s] >= 0:
                found += 1
        counts[i] = found


@rows("counts")
def count_rows(target, target_width, steps, counts):
    """Count the steps of each sample that hold no NaN."""
    width = target_width // steps
    for i in range(target.shape[0]):
        found = 0
        for s in range(steps):
            if counts_here(target, i, s * width, (s + 1) * width):
                found += 1
        counts[i] = found


@tiles("share", split=single, whole="counts")
def share_of_a_step(counts, share, live, unit):
    """One over the steps of the batch that count."""
    total = _total(view(counts, live, 0.0), live)
    view(share, 1, unit)[0] = unit / (unit * max(total, 1.0))


@inline
def _total(counts, live):
    total = 0.0
    for i in range(live):
        total += counts[i]
    return total


@tiles("total", split=single, whole="losses counts")
def sum_step_losses(losses, counts, total, weight, is_first, capacity, live, memory, unit):
    """Add weight * mean to the step's loss, over the steps of the batch that count."""
    count = max(_total(view(counts, live, 0.0), live), 1.0)
    log_mean(losses, total, weight, is_first, count, capacity, live, memory)
