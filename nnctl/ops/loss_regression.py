"""Losses on numbers; each is the mean over the outputs of a sample, then over the batch.

mse: (x - t)^2, without a half. mae: |x - t|, slope 0 at 0. huber (Huber 1964): quadratic within
``delta``, d^2 / 2, and delta (|d| - delta / 2) beyond. Over steps: the sum over those that count.
"""

from nnctl.engine.jit import inline
from nnctl.engine.kernel import rows
from nnctl.engine.maths import like
from nnctl.ops.loss_rows import mean_of_rows, slopes_of_rows, slopes_of_steps, sum_of_steps
from nnctl.ops.registry import register_loss


@inline
def _squared(x, t, p, q):
    return (x - t) * (x - t)


@inline
def _squared_slope(x, t, p, q):
    return (x - t) + (x - t)


@inline
def _magnitude(x, t, p, q):
    return abs(x - t)


@inline
def _magnitude_slope(x, t, p, q):
    d = x - t
    one = like(1, d)
    return one if d > 0 else (-one if d < 0 else d)  # NaN is neither, and stays


@inline
def _bent(d, delta):
    bounded = delta if d > delta else d
    return -delta if bounded < -delta else bounded


@inline
def _huber(x, t, delta, q):
    d = abs(x - t)
    bounded = _bent(d, delta)
    return bounded * (d - like(0.5, d) * bounded)


@inline
def _huber_slope(x, t, delta, q):
    return _bent(x - t, delta)


@rows("losses")
def mse(x, x_width, target, losses):
    mean_of_rows(_squared, x, x_width, target, losses, 0, 0)


@rows("dx")
def mse_gradient(x, x_width, target, dx, loss_weight, inverse_live, unit):
    scale = loss_weight * inverse_live
    slopes_of_rows(_squared_slope, x, x_width, target, dx, scale, 0, 0, unit)


@rows("losses")
def mse_steps(x, x_width, target, steps, losses):
    sum_of_steps(_squared, x, x_width, target, steps, losses, 0, 0)


@rows("dx")
def mse_steps_gradient(x, x_width, target, steps, dx, loss_weight, share, unit):
    scale = loss_weight * share[0]
    slopes_of_steps(_squared_slope, x, x_width, target, steps, dx, scale, 0, 0, unit)


@rows("losses")
def mae(x, x_width, target, losses):
    mean_of_rows(_magnitude, x, x_width, target, losses, 0, 0)


@rows("dx")
def mae_gradient(x, x_width, target, dx, loss_weight, inverse_live, unit):
    scale = loss_weight * inverse_live
    slopes_of_rows(_magnitude_slope, x, x_width, target, dx, scale, 0, 0, unit)


@rows("losses")
def mae_steps(x, x_width, target, steps, losses):
    sum_of_steps(_magnitude, x, x_width, target, steps, losses, 0, 0)


@rows("dx")
def mae_steps_gradient(x, x_width, target, steps, dx, loss_weight, share, unit):
    scale = loss_weight * share[0]
    slopes_of_steps(_magnitude_slope, x, x_width, target, steps, dx, scale, 0, 0, unit)


@rows("losses")
def huber(x, x_width, target, delta, losses):
    mean_of_rows(_huber, x, x_width, target, losses, delta, 0)


@rows("dx")
def huber_gradient(x, x_width, target, delta, dx, loss_weight, inverse_live, unit):
    scale = loss_weight * inverse_live
    slopes_of_rows(_huber_slope, x, x_width, target, dx, scale, delta, 0, unit)


@rows("losses")
def huber_steps(x, x_width, target, steps, delta, losses):
    sum_of_steps(_huber, x, x_width, target, steps, losses, delta, 0)


@rows("dx")
def huber_steps_gradient(x, x_width, target, steps, delta, dx, loss_weight, share, unit):
    scale = loss_weight * share[0]
    slopes_of_steps(_huber_slope, x, x_width, target, steps, dx, scale, delta, 0, unit)


register_loss("mse", rows=(mse, mse_gradient), step_rows=(mse_steps, mse_steps_gradient))
register_loss("mae", rows=(mae, mae_gradient), step_rows=(mae_steps, mae_steps_gradient))
register_loss("huber", rows=(huber, huber_gradient), step_rows=(huber_steps, huber_steps_gradient))
