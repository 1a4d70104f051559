"""An encoder-decoder of one recurrent layer each, in float64, from the formulas.

``params`` by the names behind the layer's; x (N, T, C) numbers, ``previous`` (N, S) tokens.
"""

from __future__ import annotations

import numpy as np

from tests.reference import recurrent
from tests.reference.attention import attend


def _cell(kind, params, prefix, x, returns, lengths, start=None):
    names = ("w", "u", "b", "b_h") if kind == "gru" else ("w", "u", "b")
    own = [params[f"{prefix}.{kind}_1.{name}"] for name in names]
    return recurrent.CELLS[kind](x, *own, returns=returns, lengths=lengths, start=start)


def run(params, kind, x, previous, lengths, ends, score=None):
    """Return the outputs (N, S, V) of every step; with ``score`` the decoder attends."""
    every = score is None
    coded = _cell(kind, params, "encoder", x, "last" if every else "sequence", lengths)
    context = coded if every else coded.sum(axis=1) / lengths[:, None]
    start = np.tanh(context @ params["start_1.w"] + params["start_1.b"])
    read = params["decoder.embedding_1.w"][previous]
    if every:
        repeated = np.repeat(context[:, None], previous.shape[1], axis=1)
        read = np.concatenate([read, repeated], axis=2)
    states = _cell(kind, params, "decoder", read, "sequence", ends, start)
    if not every:
        queries = states @ params["attention.query.w"]
        keys = coded @ params["attention.key.w"] + params.get("attention.key.b", 0.0)
        seen = attend(queries, keys, coded, params.get("attention.w"), ends, lengths)
        states = np.concatenate([states, seen], axis=2)
    return states @ params["w"] + params["b"]


def loss(outputs, labels):
    """The mean cross-entropy of the steps that count."""
    shifted = outputs - outputs.max(axis=2, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    there = labels >= 0
    own = np.take_along_axis(logs, np.where(there, labels, 0)[..., None], axis=2)[..., 0]
    return float(-own[there].mean())
