"""Sigmoid and binary cross-entropy in one:  loss = mean_j -(w t log s(x) + (1 - t) log(1 - s(x))).

Written as (1 - t) x + (1 + (w - 1) t) log(1 + exp(-x)), which never overflows. Label smoothing e
trains on t (1 - e) + e / 2. The mean runs over the outputs of a sample, then over the batch.
"""

import math

import numpy as np

from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows
from nnctl.engine.maths import like, sigmoid
from nnctl.ops.loss_rows import mean_of_rows, slopes_of_rows, slopes_of_steps, sum_of_steps
from nnctl.ops.registry import register_loss


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


@inline
def _term(x, t, pos_weight, label_smoothing):
    smooth = np.float64(label_smoothing)
    soft = np.float64(t) * (1.0 - smooth) + smooth * 0.5
    return _value(np.float64(x), soft, np.float64(pos_weight))


@inline
def _term_slope(x, t, pos_weight, label_smoothing):
    one = like(1, x)
    soft = t * (one - label_smoothing) + label_smoothing * like(0.5, x)
    return _slope(x, soft, pos_weight, one)


@rows("losses")
def binary_rows(x, x_width, target, pos_weight, label_smoothing, losses):
    mean_of_rows(_term, x, x_width, target, losses, pos_weight, label_smoothing)


@rows("dx")
def binary_rows_gradient(
    x, x_width, target, pos_weight, label_smoothing, dx, loss_weight, inverse_live, unit
):
    scale = loss_weight * inverse_live
    slopes_of_rows(_term_slope, x, x_width, target, dx, scale, pos_weight, label_smoothing, unit)


@rows("losses")
def binary_steps(x, x_width, target, steps, pos_weight, label_smoothing, losses):
    sum_of_steps(_term, x, x_width, target, steps, losses, pos_weight, label_smoothing)


@rows("dx")
def binary_steps_gradient(
    x, x_width, target, steps, pos_weight, label_smoothing, dx, loss_weight, share, unit
):
    scale = loss_weight * share[0]
    slopes_of_steps(
        _term_slope, x, x_width, target, steps, dx, scale, pos_weight, label_smoothing, unit
    )


register_loss(
    "binary_cross_entropy",
    labels=(binary_labels, binary_labels_gradient),
    rows=(binary_rows, binary_rows_gradient),
    step_rows=(binary_steps, binary_steps_gradient),
)
