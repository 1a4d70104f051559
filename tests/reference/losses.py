"""Losses of single samples, in float64."""

from __future__ import annotations

import numpy as np


def log_softmax(x):
    peak = x.max(axis=-1, keepdims=True)
    return x - peak - np.log(np.exp(x - peak).sum(axis=-1, keepdims=True))


def cross_entropy(x, target, label_smoothing=0.0, class_weights=None):
    """``target``: labels (n,) or distributions (n, classes)."""
    classes = x.shape[1]
    q = np.eye(classes)[target] if target.ndim == 1 else target
    q = (1 - label_smoothing) * q + label_smoothing / classes
    c = np.ones(classes) if class_weights is None else np.asarray(class_weights)
    terms = c * q * log_softmax(x)
    if target.ndim == 1:  # a class that is not the label, with no share, is not looked at
        terms = np.where(q == 0, 0.0, terms)
    return -terms.sum(axis=1)


def binary_cross_entropy(x, target, label_smoothing=0.0, pos_weight=1.0):
    t = (target.reshape(x.shape) * (1 - label_smoothing)) + label_smoothing / 2
    log_p, log_not_p = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    return -(pos_weight * t * log_p + (1 - t) * log_not_p).mean(axis=1)


def mse(x, target):
    return ((x - target) ** 2).mean(axis=1)


def mae(x, target):
    return np.abs(x - target).mean(axis=1)


def huber(x, target, delta):
    d = np.abs(x - target)
    return np.where(d <= delta, d**2 / 2, delta * (d - delta / 2)).mean(axis=1)
