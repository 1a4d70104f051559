"""Recurrent layers: one step and many, one unit and several panels, both directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.reference import recurrent
from tests.reference.philox import dropout_mask
from tests.vectors.case import OpCase

# (batch, steps, inputs, units): one, primes, around one and two vectors, more than a task's samples
_SIZES = [
    (1, 1, 1, 1), (3, 2, 3, 2), (5, 7, 4, 3), (2, 5, 17, 15), (4, 3, 16, 16), (7, 4, 5, 33),
    (17, 3, 2, 8), (36, 2, 3, 5), (2, 131, 2, 3),
]  # fmt: skip


PLAIN = {"recurrent_dropout": 0.0, "layer_norm": False, "peepholes": False, "reset": "after"}


def _fields(units, returns, backward, **more):
    rest = {**PLAIN, **more}
    return {"units": units, "returns": returns, "backward": backward, **rest}


def _case(
    tag, size, gates, forward, params, returns="sequence", backward=False, start=0, learned=False,
    **more,
):  # fmt: skip
    batch, steps, inputs, units = size
    shape = (steps, units) if returns == "sequence" else (units,)
    arrays = {"w": (inputs, gates * units), "u": (units, gates * units)}
    arrays |= dict.fromkeys(params, (gates * units,))
    arrays |= {name: shape for name, shape in _options(tag, units, **more).items() if shape}
    arrays |= dict.fromkeys(("h0", "c0")[: 1 + (tag == "lstm")] if learned else (), (units,))
    drops, weights = "recurrent_dropout" in more, 1.0 if "layer_norm" in more else 0.3
    first = ((start * units,),) if start else ()
    return OpCase(
        tag, ((steps, inputs), *first), shape, forward,
        _fields(units, returns, backward, **more), arrays, batch, weights=weights, single=2e-5,
        note=", ".join([returns, *arrays]), differs=drops, by_place=drops,
    )  # fmt: skip


def _options(tag, n, layer_norm=False, peepholes=False, reset="after", **rest):
    """Shapes of the parameters that options bring."""
    found = {"p": (3, n)} if peepholes else {}
    if reset == "before":
        found |= {"u": (n, 2 * n), "u_m": (n, n)}
    if layer_norm and tag == "rnn":
        found |= {"gain": (n,)}
    elif layer_norm:
        gates = {"lstm": 4, "gru": 3}[tag]
        found |= {"gain_w": (gates * n,), "gain_u": (gates * n,)}
        found |= {"gain_c": (n,), "shift_c": (n,)} if tag == "lstm" else {}
    return found


def _given(x, units, how, context, params):
    """How a reference is called: a drawn mask in place of the rate of dropout."""
    rate = how.get("recurrent_dropout", 0.0)
    known = ("returns", "backward")
    given = {"returns": "sequence"} | {name: how[name] for name in known if name in how}
    given |= {"more": recurrent.options(params), "start": recurrent.learned(params, len(x[0]))}
    if rate and context.training:
        given["mask"] = dropout_mask(len(x[0]), units, rate, context)[: len(x[0])] / (1 - rate)
    if len(x) > 1:
        given["start"] = x[1]
    return given


def _lstm(size, bias=True, **how):
    def forward(x, params, context):
        b = params.get("b", np.zeros(4 * size[3]))
        given = _given(x, size[3], how, context, params)
        return recurrent.lstm(x[0], params["w"], params["u"], b, **given)

    return _case("lstm", size, 4, forward, ("b",) if bias else (), **how)


def _rnn(size, nonlinearity="tanh", bias=True, **how):
    def forward(x, params, context):
        b = params.get("b", np.zeros(size[3]))
        given = _given(x, size[3], how, context, params)
        return recurrent.rnn(x[0], params["w"], params["u"], b, nonlinearity, **given)

    return _case("rnn", size, 1, forward, ("b",) if bias else (), nonlinearity=nonlinearity, **how)


def _gru(size, bias=True, **how):
    def forward(x, params, context):
        none = np.zeros(3 * size[3])
        b, b_h = params.get("b", none), params.get("b_h", none)
        given = _given(x, size[3], how, context, params)
        return recurrent.gru(x[0], params["w"], params["u"], b, b_h, **given)

    biases = ("b",) if how.get("reset") == "before" else ("b", "b_h")
    return _case("gru", size, 3, forward, biases if bias else (), **how)


def _output_rnn(
    size, outputs, returns="sequence", backward=False, bias=True, learned=False, taught=False,
    **more,
):  # fmt: skip
    batch, steps, inputs, units = size
    how = {"nonlinearity": "tanh", "output_activation": "linear", "signals": False, **more}
    rate = how.get("recurrent_dropout", 0.0)

    def forward(x, params, context):
        mask = 1.0
        if rate and context.training:
            mask = dropout_mask(batch, outputs, rate, context)[: len(x[0])] / (1 - rate)
        start = recurrent.learned(params, len(x[0]))
        given = x[1] if taught and context.training else None
        return recurrent.output_rnn(x[0], params, how, returns, backward, mask, start, given)

    params = {"w": (inputs, units), "u": (outputs, units), "v": (units, outputs)}
    params |= {"b": (units,), "c": (outputs,)} if bias else {}
    params |= {"h0": (outputs,)} if learned else {}
    fields = _fields(units, returns, backward, outputs=outputs, teacher_forcing=taught, **how)
    shape = (steps, outputs) if returns == "sequence" else (outputs,)
    given = ((steps, outputs),) if taught else ()
    return OpCase(
        "output_rnn", ((steps, inputs), *given), shape, forward, fields, params, batch,
        weights=0.5, single=2e-5, note=", ".join(params), differs=bool(rate or taught),
        by_place=bool(rate),
    )  # fmt: skip


CASES = [make(size) for make in (_lstm, _gru, _rnn) for size in _SIZES]
for make in (_lstm, _gru, _rnn):
    CASES += [make(size, returns="last") for size in _SIZES[::2]]
    CASES += [make(_SIZES[2], backward=True), make(_SIZES[3], returns="last", backward=True)]
# blocks of steps are packed for the gradients of so many rows, in one task or in two
_LARGE = [(3, 3, 2, 97), (2, 130, 3, 99), (5, 2, 150, 147)]
CASES += [_rnn(_LARGE[0]), _rnn(_LARGE[2])]  # over 130 steps so many units of an rnn explode
CASES += [_gru(size) for size in _LARGE]
CASES += [_lstm(_LARGE[0], returns="last"), _lstm(_LARGE[2], backward=True)]
CASES += [_lstm(_SIZES[2], bias=False), _gru(_SIZES[2], bias=False)]
CASES += [
    _lstm((2, 2, 1, 40), bias=False, returns="last")
]  # more gates than any output has numbers
CASES += [_rnn(size, kind) for size in _SIZES[1:4:2] for kind in ("sigmoid", "linear")]
CASES += [_rnn(_SIZES[3], "relu")]  # its corners lie where the weights put them: not on a slope
CASES += [make(_SIZES[k], recurrent_dropout=0.4) for make in (_lstm, _gru, _rnn) for k in (2, 5)]
CASES += [_gru(_SIZES[2], recurrent_dropout=0.3, returns="last", backward=True)]
CASES += [make(_SIZES[k], start=1) for make in (_lstm, _gru, _rnn) for k in (0, 6)]
CASES += [_lstm(_SIZES[2], start=2, backward=True), _lstm(_SIZES[5], start=2, returns="last")]
CASES += [make(_SIZES[2], start=1, recurrent_dropout=0.4) for make in (_lstm, _gru)]
# options of the cells, alone and together; few units normalized bend too fast for differences
_FEW, _NORM = (_SIZES[2], _SIZES[5], _SIZES[6]), (4, 3, 5, 7)
CASES += [_lstm(size, peepholes=True) for size in _FEW]
CASES += [_gru(size, reset="before") for size in (_SIZES[0], *_FEW)]
CASES += [
    make(size, layer_norm=True) for make in (_lstm, _gru, _rnn) for size in (_NORM, _SIZES[5])
]
CASES += [_rnn(_NORM, kind, layer_norm=True, backward=True) for kind in ("sigmoid", "linear")]
CASES += [make(_SIZES[k], learned=True) for make in (_lstm, _gru, _rnn) for k in (2, 6)]
CASES += [
    _lstm(_NORM, peepholes=True, layer_norm=True, recurrent_dropout=0.4, learned=True),
    _lstm(_SIZES[3], peepholes=True, bias=False, start=2, returns="last", backward=True),
    _gru(_SIZES[2], reset="before", recurrent_dropout=0.4, returns="last", backward=True),
    _gru(_NORM, reset="before", layer_norm=True, recurrent_dropout=0.4, start=1),
    _gru(_SIZES[5], reset="before", layer_norm=True, learned=True),
    _gru(_NORM, layer_norm=True, bias=False, recurrent_dropout=0.3, learned=True),
    _rnn(_NORM, layer_norm=True, bias=False, recurrent_dropout=0.4, start=1),
]
AGAIN = {"gradient_checkpointing": True}
CASES += [make(_SIZES[2], **AGAIN) for make in (_lstm, _gru, _rnn)]
CASES += [_gru(_SIZES[5], returns="last", backward=True, recurrent_dropout=0.4, **AGAIN)]
CASES += [_lstm(_SIZES[8], start=2, **AGAIN)]
CASES += [
    _lstm(_NORM, peepholes=True, layer_norm=True, learned=True, **AGAIN),
    _gru(_NORM, reset="before", layer_norm=True, recurrent_dropout=0.4, **AGAIN),
]
# where the CPU has tiles these go over them: one tile of samples and a row, two and some, blocks of
# steps that end within the steps of a sample, or with several samples; Inf becomes NaN there
_TILED = [
    _lstm((17, 3, 128, 128)),
    _gru((37, 7, 128, 192), backward=True),
    _rnn((35, 5, 256, 256), returns="last"),
    _gru((16, 130, 2, 128)),
    _lstm((33, 9, 128, 128), peepholes=True, recurrent_dropout=0.4, learned=True, **AGAIN),
    _gru((18, 4, 128, 128), reset="before", start=1),
]
CASES += [replace(case, weights=0.08, blocks=True) for case in _TILED]
CASES += [_output_rnn(size, outputs) for size, outputs in ((_SIZES[2], 2), (_SIZES[5], 17))]
CASES += [
    _output_rnn((1, 1, 1, 1), 1, output_activation="tanh"),
    _output_rnn(_SIZES[6], 3, output_activation="softmax", nonlinearity="sigmoid", backward=True),
    _output_rnn(_SIZES[2], 3, output_activation="softmax", signals=True, learned=True),
    _output_rnn(_SIZES[2], 5, output_activation="sigmoid", returns="last", bias=False),
    _output_rnn(
        _SIZES[2], 4, signals=True, output_activation="tanh", returns="last", backward=True
    ),
    _output_rnn(_SIZES[2], 4, nonlinearity="linear", recurrent_dropout=0.4),
    _output_rnn(_SIZES[2], 3, output_activation="tanh", taught=True),
    _output_rnn(_SIZES[6], 9, taught=True, learned=True, signals=True, output_activation="softmax"),
    _output_rnn(_SIZES[5], 17, taught=True, backward=True),
]
