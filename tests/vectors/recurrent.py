"""Recurrent layers: one step and many, one unit and several panels, both directions."""

from __future__ import annotations

import numpy as np

from tests.reference import recurrent
from tests.reference.philox import dropout_mask
from tests.vectors.case import OpCase

# (batch, steps, inputs, units): one, primes, around one and two vectors, more than a task's samples
_SIZES = [
    (1, 1, 1, 1), (3, 2, 3, 2), (5, 7, 4, 3), (2, 5, 17, 15), (4, 3, 16, 16), (7, 4, 5, 33),
    (17, 3, 2, 8), (36, 2, 3, 5), (2, 131, 2, 3),
]  # fmt: skip


def _fields(units, returns, backward, **more):
    rest = {"recurrent_dropout": 0.0, **more}
    return {"units": units, "returns": returns, "backward": backward, **rest}


def _case(
    tag, size, gates, forward, params, returns="sequence", backward=False, start=0, **more
):  # fmt: skip
    batch, steps, inputs, units = size
    shape = (steps, units) if returns == "sequence" else (units,)
    arrays = {"w": (inputs, gates * units), "u": (units, gates * units)}
    arrays |= dict.fromkeys(params, (gates * units,))
    drops = "recurrent_dropout" in more
    first = ((start * units,),) if start else ()
    return OpCase(
        tag, ((steps, inputs), *first), shape, forward,
        _fields(units, returns, backward, **more), arrays, batch, weights=0.3, single=2e-5,
        note=returns, differs=drops, by_place=drops,
    )  # fmt: skip


def _given(x, units, how, context):
    """How a reference is called: a drawn mask in place of the rate of dropout."""
    rate = how.get("recurrent_dropout", 0.0)
    given = {"returns": "sequence", **how}
    given.pop("recurrent_dropout", None)
    for key in ("start", "gradient_checkpointing"):
        given.pop(key, None)
    if rate and context.training:
        given["mask"] = dropout_mask(len(x[0]), units, rate, context)[: len(x[0])] / (1 - rate)
    if len(x) > 1:
        given["start"] = x[1]
    return given


def _lstm(size, bias=True, **how):
    def forward(x, params, context):
        b = params.get("b", np.zeros(4 * size[3]))
        given = _given(x, size[3], how, context)
        return recurrent.lstm(x[0], params["w"], params["u"], b, **given)

    return _case("lstm", size, 4, forward, ("b",) if bias else (), **how)


def _rnn(size, nonlinearity="tanh", **how):
    def forward(x, params, context):
        given = _given(x, size[3], how, context)
        return recurrent.rnn(x[0], params["w"], params["u"], params["b"], nonlinearity, **given)

    return _case("rnn", size, 1, forward, ("b",), nonlinearity=nonlinearity, **how)


def _gru(size, bias=True, **how):
    def forward(x, params, context):
        none = np.zeros(3 * size[3])
        b, b_h = params.get("b", none), params.get("b_h", none)
        given = _given(x, size[3], how, context)
        return recurrent.gru(x[0], params["w"], params["u"], b, b_h, **given)

    return _case("gru", size, 3, forward, ("b", "b_h") if bias else (), **how)


CASES = [make(size) for make in (_lstm, _gru, _rnn) for size in _SIZES]
for make in (_lstm, _gru, _rnn):
    CASES += [make(size, returns="last") for size in _SIZES[::2]]
    CASES += [make(_SIZES[2], backward=True), make(_SIZES[3], returns="last", backward=True)]
CASES += [_lstm(_SIZES[2], bias=False), _gru(_SIZES[2], bias=False)]
CASES += [_rnn(size, kind) for size in _SIZES[1:4:2] for kind in ("sigmoid", "linear")]
CASES += [_rnn(_SIZES[3], "relu")]  # its corners lie where the weights put them: not on a slope
CASES += [make(_SIZES[k], recurrent_dropout=0.4) for make in (_lstm, _gru, _rnn) for k in (2, 5)]
CASES += [_gru(_SIZES[2], recurrent_dropout=0.3, returns="last", backward=True)]
CASES += [make(_SIZES[k], start=1) for make in (_lstm, _gru, _rnn) for k in (0, 6)]
CASES += [_lstm(_SIZES[2], start=2, backward=True), _lstm(_SIZES[5], start=2, returns="last")]
CASES += [make(_SIZES[2], start=1, recurrent_dropout=0.4) for make in (_lstm, _gru)]
AGAIN = {"gradient_checkpointing": True}
CASES += [make(_SIZES[2], **AGAIN) for make in (_lstm, _gru, _rnn)]
CASES += [_gru(_SIZES[5], returns="last", backward=True, recurrent_dropout=0.4, **AGAIN)]
CASES += [_lstm(_SIZES[8], start=2, **AGAIN)]
