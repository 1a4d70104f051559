"""Sigmoid and binary cross-entropy in one:  loss = mean_j -(w t log s(x) + (1 - t) log(1 - s(x))).

Written as (1 - t) x + (1 + (w - 1) t) log(1 + exp(-x)), which never overflows. Label smoothing e
trains on t (1 - e) + e / 2. The mean runs over the outputs of a sample, then over the batch.
"""

import math

import numpy as np

from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows
from nnctl.engine.maths import sigmoid
from nnctl.ops.registry import register_loss
from nnctl.ops.steps import counts_here


@inline
def _value(x, t, pos_weight):
    lost = math.log1p(math.exp(-abs(x))) + (0.0 if x > 0 else -x)  # log(1 + exp(-x))
    return (1.0 - t) * x + (1.0 + (pos_weight - 1.0) * t) * lost


@inline
def _slope(x, t, pos_weight, one):
    return (one - t) - (one + (pos_weight - one) * t) * sigmoid(-x)


@rows("losses")
def binary_labels(x, labels, pos_weight, label_smoothing, losses):
    smooth = np.float64(label_smoothing)
    for i in range(x.shape[0]):
        t = labels[i] * (1.0 - smooth) + smooth * 0.5
        losses[i] = _value(np.float64(x[i, 0]), t, np.float64(pos_weight))


@rows("dx")
def binary_labels_gradient(
    x, labels, pos_weight, label_smoothing, dx, loss_weight, inverse_live, unit
):
    half = unit / (unit + unit)
    for i in range(x.shape[0]):
        t = (unit * labels[i]) * (unit - label_smoothing) + label_smoothing * half
        dx[i, 0] = loss_weight * inverse_live * _slope(x[i, 0], t, pos_weight, unit)


@rows("losses")
def binary_rows(x, x_width, target, pos_weight, label_smoothing, losses):
    smooth = np.float64(label_smoothing)
    for i in range(x.shape[0]):
        total = 0.0
        for j in range(x_width):
            t = np.float64(target[i, j]) * (1.0 - smooth) + smooth * 0.5
            total += _value(np.float64(x[i, j]), t, np.float64(pos_weight))
        losses[i] = total / x_width


@rows("dx")
def binary_rows_gradient(
    x, x_width, target, pos_weight, label_smoothing, dx, loss_weight, inverse_live, unit
):
    half = unit / (unit + unit)
    scale = loss_weight * inverse_live / (unit * x_width)
    for i in range(x.shape[0]):
        for j in range(x_width):
            t = target[i, j] * (unit - label_smoothing) + label_smoothing * half
            dx[i, j] = scale * _slope(x[i, j], t, pos_weight, unit)


@rows("losses")
def binary_steps(x, x_width, target, steps, pos_weight, label_smoothing, losses):
    smooth, width = np.float64(label_smoothing), x_width // steps
    for i in range(x.shape[0]):
        losses[i] = 0.0
        for s in range(steps):
            if counts_here(target, i, s * width, (s + 1) * width):
                total = 0.0
                for j in range(s * width, (s + 1) * width):
                    t = np.float64(target[i, j]) * (1.0 - smooth) + smooth * 0.5
                    total += _value(np.float64(x[i, j]), t, np.float64(pos_weight))
                losses[i] += total / width


@rows("dx")
def binary_steps_gradient(
    x, x_width, target, steps, pos_weight, label_smoothing, dx, loss_weight, share, unit
):
    half, width = unit / (unit + unit), x_width // steps
    scale = loss_weight * share[0] / (unit * width)
    for i in range(x.shape[0]):
        for s in range(steps):
            counted = counts_here(target, i, s * width, (s + 1) * width)
            for j in range(s * width, (s + 1) * width):
                if counted:
                    t = target[i, j] * (unit - label_smoothing) + label_smoothing * half
                    dx[i, j] = scale * _slope(x[i, j], t, pos_weight, unit)
                else:
                    dx[i, j] = 0


register_loss(
    "binary_cross_entropy",
    labels=(binary_labels, binary_labels_gradient),
    rows=(binary_rows, binary_rows_gradient),
    step_rows=(binary_steps, binary_steps_gradient),
)
