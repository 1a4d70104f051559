"""Layers that stand for several: (type, layer, shapes in and out, what they give).

``forward(x, params) -> y`` in plain float64 NumPy; parameters by their names behind the layer's.
"""

from __future__ import annotations

import numpy as np

from tests.reference import recurrent
from tests.reference.attention import attend


def _both(params, cell, x, returns):
    """The two directions of a layer, each with the weights of its own."""
    found = []
    for way in ("forward", "backward"):
        names = ("w", "u", "b") + (("b_h",) if cell is recurrent.gru else ())
        own = [params[f"{way}.{name}"] for name in names]
        found.append(cell(x, *own, returns, way == "backward"))
    return found


def _concat(x, params):
    return np.concatenate(_both(params, recurrent.lstm, x, "sequence"), axis=-1)


def _sum(x, params):
    return sum(_both(params, recurrent.gru, x, "last"))


def _mean(x, params):
    return sum(_both(params, recurrent.gru, x, "sequence")) / 2


def _attention(x, params):
    return attend(x @ params["query.w"], x @ params["key.w"] + params["key.b"], x, params["w"])


TO_ITSELF = 'from=["input","input"]'
COMPOSITES = [
    ("attention", f'{TO_ITSELF} score="additive" units=2', (4, 3), (4, 3), _attention),
    ("attention", TO_ITSELF, (4, 3), (4, 3), lambda x, params: attend(x, x, x)),
    ("bidirectional", 'layer={type="lstm",units=3}', (4, 3), (4, 6), _concat),
    ("bidirectional", 'layer={type="gru",units=4,returns="last"} merge="sum"', (3, 4), (4,), _sum),
    ("bidirectional", 'layer={type="gru",units=2} merge="mean"', (4, 3), (4, 2), _mean),
]
