"""Losses on labels, one-hot rows, soft rows and numbers; smoothing, class weights, odd widths."""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.reference import losses
from tests.vectors.case import LossCase


def _labels(classes):
    return lambda stream, n: stream.integers(0, classes, n)


def _one_hot(classes):
    return lambda stream, n: np.eye(classes)[stream.integers(0, classes, n)]


def _soft(classes):
    return lambda stream, n: stream.dirichlet(np.ones(classes), n)


def _bits(width):
    return lambda stream, n: stream.integers(0, 2, (n, width)).astype(float)


def _share(width):
    return lambda stream, n: stream.uniform(size=(n, width))


def _numbers(width):
    return lambda stream, n: stream.normal(size=(n, width))


_WEIGHTS = (0.5, 2.0, 1.0, 3.0, 0.0)


def _cross(width, target, note, smoothing=0.0, weights=None, **more):
    given = None if weights is None else np.array(weights)
    twin = partial(losses.cross_entropy, label_smoothing=smoothing, class_weights=given)
    fields = {"label_smoothing": smoothing}
    return LossCase("cross_entropy", width, twin, target(width), fields, weights, note=note, **more)


def _binary(width, target, note, smoothing=0.0, pos_weight=1.0, **more):
    twin = partial(losses.binary_cross_entropy, label_smoothing=smoothing, pos_weight=pos_weight)
    fields = {"label_smoothing": smoothing, "pos_weight": pos_weight}
    return LossCase("binary_cross_entropy", width, twin, target, fields, note=note, **more)


LOSSES = [
    _cross(5, kind, note, smoothing, weights)
    for kind, note in [(_labels, "labels"), (_one_hot, "one-hot"), (_soft, "soft")]
    for smoothing, weights in [(0.0, None), (0.1, None), (0.0, _WEIGHTS), (0.2, _WEIGHTS)]
]
LOSSES += [
    _cross(width, kind, note, 0.1, batch=batch)
    for kind, note in [(_labels, "labels"), (_soft, "soft")]
    for batch, width in [(1, 2), (3, 17), (13, 33), (33, 10)]
]
LOSSES += [
    _binary(1, _labels(2), "labels"),
    _binary(1, _labels(2), "labels", 0.1, 3.0),
    _binary(1, _labels(2), "labels", batch=1),
    _binary(4, _bits(4), "bits", 0.1, 0.5),
    _binary(17, _share(17), "shares", batch=3),
    _binary(1, _share(1), "shares", 0.3, 2.0, batch=13),
]
for _width, _batch in [(1, 8), (1, 1), (5, 7), (17, 3), (33, 16)]:
    _rows = _numbers(_width)
    LOSSES += [
        LossCase("mse", _width, losses.mse, _rows, batch=_batch),
        LossCase("mae", _width, losses.mae, _rows, batch=_batch, kinks=(0.0,)),
        *(
            LossCase(
                "huber",
                _width,
                partial(losses.huber, delta=delta),
                _rows,
                {"delta": delta},
                batch=_batch,
                kinks=(delta, -delta),
            )
            for delta in (1.0, 0.3)
        ),
    ]
