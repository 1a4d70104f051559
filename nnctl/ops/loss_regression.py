"""Losses on numbers; each is the mean over the outputs of a sample, then over the batch.

mse: (x - t)^2, without a half. mae: |x - t|, slope 0 at 0. huber (Huber 1964): quadratic within
``delta``, d^2 / 2, and delta (|d| - delta / 2) beyond. Over steps: the sum over those that count.
"""

from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows
from nnctl.engine.maths import like
from nnctl.ops.registry import register_loss
from nnctl.ops.steps import counts_here


@rows("losses")
def mse(x, x_width, target, losses):
    for i in range(x.shape[0]):
        total = 0.0
        for j in range(x_width):
            d = x[i, j] - target[i, j]
            total += d * d
        losses[i] = total / x_width


@rows("dx")
def mse_gradient(x, x_width, target, dx, loss_weight, inverse_live, unit):
    scale = (unit + unit) * loss_weight * inverse_live / (unit * x_width)
    for i in range(x.shape[0]):
        for j in range(x_width):
            dx[i, j] = scale * (x[i, j] - target[i, j])


@rows("losses")
def mae(x, x_width, target, losses):
    for i in range(x.shape[0]):
        total = 0.0
        for j in range(x_width):
            total += abs(x[i, j] - target[i, j])
        losses[i] = total / x_width


@rows("dx")
def mae_gradient(x, x_width, target, dx, loss_weight, inverse_live, unit):
    scale = loss_weight * inverse_live / (unit * x_width)
    for i in range(x.shape[0]):
        for j in range(x_width):
            d = x[i, j] - target[i, j]
            # NaN is neither, and stays
            dx[i, j] = scale if d > 0 else (-scale if d < 0 else d)


@inline
def _bent(d, delta):
    bounded = delta if d > delta else d
    return -delta if bounded < -delta else bounded


@rows("losses")
def huber(x, x_width, target, delta, losses):
    for i in range(x.shape[0]):
        total = 0.0
        for j in range(x_width):
            d = abs(x[i, j] - target[i, j])
            bounded = _bent(d, delta)
            total += bounded * (d - like(0.5, d) * bounded)
        losses[i] = total / x_width


@rows("dx")
def huber_gradient(x, x_width, target, delta, dx, loss_weight, inverse_live, unit):
    scale = loss_weight * inverse_live / (unit * x_width)
    for i in range(x.shape[0]):
        for j in range(x_width):
            dx[i, j] = scale * _bent(x[i, j] - target[i, j], delta)


@rows("losses")
def mse_steps(x, x_width, target, steps, losses):
    width = x_width // steps
    for i in range(x.shape[0]):
        losses[i] = 0.0
        for s in range(steps):
            if counts_here(target, i, s * width, (s + 1) * width):
                total = 0.0
                for j in range(s * width, (s + 1) * width):
                    d = x[i, j] - target[i, j]
                    total += d * d
                losses[i] += total / width


@rows("dx")
def mse_steps_gradient(x, x_width, target, steps, dx, loss_weight, share, unit):
    width = x_width // steps
    scale = (unit + unit) * loss_weight * share[0] / (unit * width)
    for i in range(x.shape[0]):
        for s in range(steps):
            counted = counts_here(target, i, s * width, (s + 1) * width)
            for j in range(s * width, (s + 1) * width):
                if counted:
                    dx[i, j] = scale * (x[i, j] - target[i, j])
                else:
                    dx[i, j] = 0


@rows("losses")
def mae_steps(x, x_width, target, steps, losses):
    width = x_width // steps
    for i in range(x.shape[0]):
        losses[i] = 0.0
        for s in range(steps):
            if counts_here(target, i, s * width, (s + 1) * width):
                total = 0.0
                for j in range(s * width, (s + 1) * width):
                    total += abs(x[i, j] - target[i, j])
                losses[i] += total / width


@rows("dx")
def mae_steps_gradient(x, x_width, target, steps, dx, loss_weight, share, unit):
    width = x_width // steps
    scale = loss_weight * share[0] / (unit * width)
    for i in range(x.shape[0]):
        for s in range(steps):
            counted = counts_here(target, i, s * width, (s + 1) * width)
            for j in range(s * width, (s + 1) * width):
                if counted:
                    d = x[i, j] - target[i, j]
                    dx[i, j] = scale if d > 0 else (-scale if d < 0 else d)
                else:
                    dx[i, j] = 0


@rows("losses")
def huber_steps(x, x_width, target, steps, delta, losses):
    width = x_width // steps
    for i in range(x.shape[0]):
        losses[i] = 0.0
        for s in range(steps):
            if counts_here(target, i, s * width, (s + 1) * width):
                total = 0.0
                for j in range(s * width, (s + 1) * width):
                    d = abs(x[i, j] - target[i, j])
                    bounded = _bent(d, delta)
                    total += bounded * (d - like(0.5, d) * bounded)
                losses[i] += total / width


@rows("dx")
def huber_steps_gradient(x, x_width, target, steps, delta, dx, loss_weight, share, unit):
    width = x_width // steps
    scale = loss_weight * share[0] / (unit * width)
    for i in range(x.shape[0]):
        for s in range(steps):
            counted = counts_here(target, i, s * width, (s + 1) * width)
            for j in range(s * width, (s + 1) * width):
                if counted:
                    dx[i, j] = scale * _bent(x[i, j] - target[i, j], delta)
                else:
                    dx[i, j] = 0


register_loss("mse", rows=(mse, mse_gradient), step_rows=(mse_steps, mse_steps_gradient))
register_loss("mae", rows=(mae, mae_gradient), step_rows=(mae_steps, mae_steps_gradient))
register_loss("huber", rows=(huber, huber_gradient), step_rows=(huber_steps, huber_steps_gradient))
