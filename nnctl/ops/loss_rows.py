"""Losses that are means over numbers: the loops over samples and, where there are any, over steps.

A loss gives two functions of an output x and its target t, ``term(x, t, p, q)`` and
``slope(x, t, p, q)``, p and q being its own fields. Over steps a sample's loss is the sum over the
steps that count, and ``share`` is one over those of the batch.
"""

from nnctl.engine.jit import inline
from nnctl.ops.steps import counts_here


@inline
def mean_of_rows(term, x, width, target, losses, p, q):
    for i in range(x.shape[0]):
        total = 0.0
        for j in range(width):
            total += term(x[i, j], target[i, j], p, q)
        losses[i] = total / width


@inline
def slopes_of_rows(slope, x, width, target, dx, scale, p, q, unit):
    scale = scale / (unit * width)
    for i in range(x.shape[0]):
        for j in range(width):
            dx[i, j] = scale * slope(x[i, j], target[i, j], p, q)


@inline
def sum_of_steps(term, x, x_width, target, steps, losses, p, q):
    width = x_width // steps
    for i in range(x.shape[0]):
        losses[i] = 0.0
        for s in range(steps):
            if counts_here(target, i, s * width, (s + 1) * width):
                total = 0.0
                for j in range(s * width, (s + 1) * width):
                    total += term(x[i, j], target[i, j], p, q)
                losses[i] += total / width


@inline
def slopes_of_steps(slope, x, x_width, target, steps, dx, scale, p, q, unit):
    width = x_width // steps
    scale = scale / (unit * width)
    for i in range(x.shape[0]):
        for s in range(steps):
            counted = counts_here(target, i, s * width, (s + 1) * width)
            for j in range(s * width, (s + 1) * width):
                if counted:
                    dx[i, j] = scale * slope(x[i, j], target[i, j], p, q)
                else:
                    dx[i, j] = 0
