"""Forward passes of the ops, on whole batches in float64."""

from __future__ import annotations

import math

import numpy as np

from tests.reference.philox import dropout_mask

_erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x):
    return np.where(
        x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x)))
    )


def relu(x):
    return np.where(x <= 0, 0.0, x)


def leaky_relu(x, slope):
    return np.where(x <= 0, slope * x, x)


def elu(x, alpha):
    return np.where(x <= 0, alpha * np.expm1(np.minimum(x, 0)), x)


def softplus(x):
    return np.logaddexp(0, x)


def silu(x):
    return x * sigmoid(x)


def gelu(x):
    return x * 0.5 * (1 + _erf(x / math.sqrt(2)))


def sign(x):
    return np.where(x >= 0, 1.0, np.where(x < 0, -1.0, x))


def step(x):
    return np.where(x >= 0, 1.0, np.where(x < 0, 0.0, x))


def hard_tanh(x):
    """The function whose derivative the straight-through estimator passes off as the step's."""
    return np.clip(x, -1, 1)


def softmax(x):
    """Over the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def dense(x, w, b=None):
    y = np.einsum("n...i,io->n...o", x, w)
    return y if b is None else y + b


def dropout(x, rate, context):
    if not context.training:
        return x
    flat = x.reshape(len(x), -1)
    kept = dropout_mask(*flat.shape, rate, context)
    return np.where(kept, flat / (1 - rate), 0.0).reshape(x.shape)
