"""Activations: formulas of one number, with the derivative beside each.

Most derivatives are written in the output, so that the output can take the signal's place in
memory. At a kink the derivative is the left one: 0 for relu at 0.
"""

from nnctl.engine.kernel import elementwise
from nnctl.engine.maths import erf, exp, like, log1p_unit, sigmoid, tanh
from nnctl.ops.registry import register

ROOT_HALF = 0.7071067811865476
NORMAL_PEAK = 0.3989422804014327  # 1 / sqrt(2 pi)


@elementwise()
def relu_forward(x):
    return like(0, x) if x <= 0 else x


@elementwise("dx")
def relu_backward(dy, y):
    return dy if y > 0 else like(0, dy)


@elementwise()
def leaky_relu_forward(x, slope):
    return slope * x if x <= 0 else x


@elementwise("dx")
def leaky_relu_backward(dy, x, slope):
    return dy if x > 0 else slope * dy


@elementwise()
def elu_forward(x, alpha):
    return alpha * (exp(x) - like(1, x)) if x <= 0 else x


@elementwise("dx")
def elu_backward(dy, y, alpha):
    return dy if y > 0 else dy * (y + alpha)


@elementwise()
def sigmoid_forward(x):
    return sigmoid(x)


@elementwise("dx")
def sigmoid_backward(dy, y):
    return dy * y * (like(1, y) - y)


@elementwise()
def tanh_forward(x):
    return tanh(x)


@elementwise("dx")
def tanh_backward(dy, y):
    return dy * (like(1, y) - y * y)


@elementwise()
def softplus_forward(x):
    return (like(0, x) if x <= 0 else x) + log1p_unit(exp(-abs(x)))


@elementwise("dx")
def softplus_backward(dy, x):
    return dy * sigmoid(x)


@elementwise()
def silu_forward(x):
    return x * sigmoid(x)


@elementwise("dx")
def silu_backward(dy, x):
    s = sigmoid(x)
    one = like(1, x)
    return dy * s * (one + x * (one - s))


@elementwise()
def gelu_forward(x):
    """x * Phi(x), with the exact normal distribution (Hendrycks & Gimpel 2016)."""
    return x * (like(1, x) + erf(x * like(ROOT_HALF, x))) * like(0.5, x)


@elementwise("dx")
def gelu_backward(dy, x):
    density = exp(x * x * like(-0.5, x)) * like(NORMAL_PEAK, x)
    return dy * ((like(1, x) + erf(x * like(ROOT_HALF, x))) * like(0.5, x) + x * density)


@elementwise()
def sign_forward(x):
    """+1 for x >= 0, else -1; NaN stays."""
    return like(1, x) if x >= 0 else (like(-1, x) if x < 0 else x)


@elementwise()
def step_forward(x):
    """1 for x >= 0, else 0; NaN stays."""
    return like(1, x) if x >= 0 else (like(0, x) if x < 0 else x)


@elementwise("dx")
def straight_through_backward(dy, x):
    """The straight-through estimator: the gradient passes where |x| <= 1 (Hubara et al. 2016)."""
    return dy if abs(x) <= 1 else like(0, dy)


register("relu", relu_forward, relu_backward)
register("leaky_relu", leaky_relu_forward, leaky_relu_backward)
register("elu", elu_forward, elu_backward)
register("sigmoid", sigmoid_forward, sigmoid_backward)
register("tanh", tanh_forward, tanh_backward)
register("softplus", softplus_forward, softplus_backward)
register("silu", silu_forward, silu_backward)
register("gelu", gelu_forward, gelu_backward)
register("sign", sign_forward, straight_through_backward)
register("step", step_forward, straight_through_backward)
register("linear", same=True)
