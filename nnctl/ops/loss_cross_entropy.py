"""Softmax and cross-entropy in one:  loss = -sum_j c_j q_j log softmax(x)_j,  mean over the batch.

q is the target distribution, c the weight of each class. Label smoothing mixes the uniform
distribution into q (Szegedy et al. 2016). dx_k = (softmax(x)_k sum_j c_j q_j - c_k q_k) / N.
"""

import math

import numpy as np

from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows
from nnctl.engine.maths import exp
from nnctl.ops.registry import register_loss


@inline
def _exponentials(x, shifted):
    """Write exp(x_j - max) to ``shifted``; return max and sum."""
    peak = x[0]
    for j in range(1, x.shape[0]):
        peak = x[j] if x[j] > peak else peak
    for j in range(x.shape[0]):
        shifted[j] = exp(x[j] - peak)
    total = shifted[0]
    for j in range(1, x.shape[0]):
        total += shifted[j]
    return peak, total


@rows("losses shifted total")
def cross_entropy_labels(
    x, x_width, labels, class_weights, label_smoothing, losses, shifted, total
):
    for i in range(x.shape[0]):
        peak, total[i] = _exponentials(x[i, :x_width], shifted[i, :x_width])
        top = np.float64(peak) + math.log(np.float64(total[i]))
        t = labels[i]
        value = (1.0 - label_smoothing) * class_weights[t] * (top - x[i, t])
        if label_smoothing != 0:
            share = np.float64(label_smoothing) / x_width
            for j in range(x_width):
                value += share * class_weights[j] * (top - x[i, j])
        losses[i] = value


@rows("dx")
def cross_entropy_labels_gradient(
    labels, class_weights, label_smoothing, shifted, total, dx, dx_width, loss_weight,
    inverse_live, unit,
):  # fmt: skip
    scale = loss_weight * inverse_live
    share, kept = label_smoothing / (unit * dx_width), unit - label_smoothing
    every = unit * 0
    if label_smoothing != 0:
        for j in range(dx_width):
            every += share * class_weights[j]
    for i in range(dx.shape[0]):
        t = labels[i]
        factor = scale * (kept * class_weights[t] + every) / total[i]
        for j in range(dx_width):
            dx[i, j] = shifted[i, j] * factor
        if label_smoothing != 0:
            for j in range(dx_width):
                dx[i, j] -= scale * share * class_weights[j]
        dx[i, t] -= scale * kept * class_weights[t]


@rows("losses shifted total")
def cross_entropy_rows(x, x_width, target, class_weights, label_smoothing, losses, shifted, total):
    for i in range(x.shape[0]):
        peak, total[i] = _exponentials(x[i, :x_width], shifted[i, :x_width])
        top = np.float64(peak) + math.log(np.float64(total[i]))
        share, kept = np.float64(label_smoothing) / x_width, 1.0 - label_smoothing
        value = 0.0
        for j in range(x_width):
            value += class_weights[j] * (kept * target[i, j] + share) * (top - x[i, j])
        losses[i] = value


@rows("dx")
def cross_entropy_rows_gradient(
    target, class_weights, label_smoothing, shifted, total, dx, dx_width, loss_weight,
    inverse_live, unit,
):  # fmt: skip
    scale = loss_weight * inverse_live
    share, kept = label_smoothing / (unit * dx_width), unit - label_smoothing
    for i in range(dx.shape[0]):
        mass = unit * 0
        for j in range(dx_width):
            mass += class_weights[j] * (kept * target[i, j] + share)
        factor = mass / total[i]
        for j in range(dx_width):
            q = class_weights[j] * (kept * target[i, j] + share)
            dx[i, j] = scale * (shifted[i, j] * factor - q)


@inline
def _softmax(x, p):
    """Write softmax(x) to ``p``; return the logarithm of the sum of exponentials."""
    peak, total = _exponentials(x, p)
    for j in range(x.shape[0]):
        p[j] /= total
    return np.float64(peak) + math.log(np.float64(total))


@rows("losses shifted")
def cross_entropy_steps(x, x_width, labels, steps, class_weights, label_smoothing, losses, shifted):
    """The sum over the steps that count; ``shifted`` becomes their softmax."""
    width = x_width // steps
    for i in range(x.shape[0]):
        losses[i] = 0.0
        for s in range(steps):
            row, p = x[i, s * width : (s + 1) * width], shifted[i, s * width : (s + 1) * width]
            t = labels[i, s]
            if t < 0:
                for j in range(width):
                    p[j] = 0
                continue
            top = _softmax(row, p)
            value = (1.0 - label_smoothing) * class_weights[t] * (top - row[t])
            if label_smoothing != 0:
                share = np.float64(label_smoothing) / width
                for j in range(width):
                    value += share * class_weights[j] * (top - row[j])
            losses[i] += value


@rows("dx")
def cross_entropy_steps_gradient(
    labels, steps, class_weights, label_smoothing, shifted, dx, dx_width, loss_weight, share, unit
):
    width = dx_width // steps
    scale = loss_weight * share[0]
    smooth, kept = label_smoothing / (unit * width), unit - label_smoothing
    every = unit * 0
    if label_smoothing != 0:
        for j in range(width):
            every += smooth * class_weights[j]
    for i in range(dx.shape[0]):
        for s in range(steps):
            d, p = dx[i, s * width : (s + 1) * width], shifted[i, s * width : (s + 1) * width]
            t = labels[i, s]
            factor = scale * (kept * class_weights[t] + every) if t >= 0 else unit * 0
            for j in range(width):
                d[j] = p[j] * factor
            if t >= 0:
                if label_smoothing != 0:
                    for j in range(width):
                        d[j] -= scale * smooth * class_weights[j]
                d[t] -= scale * kept * class_weights[t]


register_loss(
    "cross_entropy",
    labels=(cross_entropy_labels, cross_entropy_labels_gradient),
    rows=(cross_entropy_rows, cross_entropy_rows_gradient),
    step_labels=(cross_entropy_steps, cross_entropy_steps_gradient),
    saved={"shifted": "rows", "total": "column"},
)
