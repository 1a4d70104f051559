"""Recurrent layers as loops over steps, in float64, written from the formulas.

x (N, T, I), w (I, G H), u (H, G H), b (G H,); ``lengths`` (N,): steps that count;
``bumps`` (N, T, H) are added to the states, so that the derivative by one is that by a state;
``mask`` (N, H) is what the products with the state see of it; ``start`` (N, H), or (N, 2 H) with
the cell's own, the states before the first step. ``more``: other parameters by name, the gains and
shifts of layer normalization and the peepholes ``p`` (3, H).
"""

from __future__ import annotations

import numpy as np

from tests.reference.ops import relu, sigmoid, softmax

NONLINEARITIES = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid, "linear": lambda a: a}


def _run(x, units, states, step, returns, backward, lengths=None, bumps=None, start=None):
    """Carry ``states`` arrays (N, H), the first of them h, through the steps."""
    n, steps, _ = x.shape
    state = [np.zeros((n, units)) for _ in range(states)]
    for k in range(0 if start is None else start.shape[1] // units):
        state[k] = start[:, k * units : (k + 1) * units]
    every = np.zeros((n, steps, units))
    ends = np.full(n, steps) if lengths is None else lengths
    for t in reversed(range(steps)) if backward else range(steps):
        counts = (t < ends)[:, None]
        state = [np.where(counts, a, b) for a, b in zip(step(x[:, t], *state), state, strict=True)]
        if bumps is not None:
            state[0] = state[0] + bumps[:, t]
        every[:, t] = np.where(counts, state[0], 0)
    return every if returns == "sequence" else state[0]


def _normed(a, gain):
    """Rows normalized to mean 0 and variance 1, times a gain."""
    away = a - a.mean(axis=1, keepdims=True)
    return gain * away / np.sqrt((away**2).mean(axis=1, keepdims=True) + 1e-5)


def lstm(
    x, w, u, b, returns, backward=False, lengths=None, bumps=None, mask=1.0, start=None, more=None
):  # fmt: skip
    """Gates in the order input, forget, candidate, output."""
    units, more = len(u), more or {}
    peeps = more.get("p", [None] * 3)

    def gate(a, p, c):
        return sigmoid(a if p is None else a + p * c)

    def step(now, h, c):
        if "gain_w" in more:
            sums = _normed(now @ w, more["gain_w"]) + _normed((mask * h) @ u, more["gain_u"]) + b
        else:
            sums = now @ w + (mask * h) @ u + b
        i, f, g, o = np.split(sums, 4, axis=1)
        new = gate(f, peeps[1], c) * c + gate(i, peeps[0], c) * np.tanh(g)
        shown = _normed(new, more["gain_c"]) + more["shift_c"] if "gain_c" in more else new
        return gate(o, peeps[2], new) * np.tanh(shown), new

    return _run(x, units, 2, step, returns, backward, lengths, bumps, start)


def rnn(
    x, w, u, b, nonlinearity, returns, backward=False, lengths=None, bumps=None, mask=1.0,
    start=None, more=None,
):  # fmt: skip
    """Elman's network."""

    def step(now, h):
        sums = now @ w + (mask * h) @ u
        sums = _normed(sums, more["gain"]) if more else sums
        return (NONLINEARITIES[nonlinearity](sums + b),)

    return _run(x, len(u), 1, step, returns, backward, lengths, bumps, start)


def gru(
    x, w, u, b, b_h, returns, backward=False, lengths=None, bumps=None, mask=1.0, start=None,
    more=None,
):  # fmt: skip
    """Gates in the order reset, update, candidate; the reset gate acts on the product with h, or,
    where there is a ``u_m``, on what that multiplies."""
    n, more = len(u), more or {}

    def normed(a, gain):
        """Reset and update together, the candidate, where it is there, on its own."""
        if gain not in more:
            return a
        ends = range(2 * n, a.shape[1], n)
        parts = zip(np.split(a, ends, 1), np.split(more[gain][: a.shape[1]], ends), strict=True)
        return np.hstack([_normed(part, gains) for part, gains in parts])

    def step(now, h):
        rx, zx, nx = np.split(normed(now @ w, "gain_w") + b, 3, axis=1)
        if "u_m" in more:
            rh, zh = np.split(normed((mask * h) @ u, "gain_u"), 2, axis=1)
            r = sigmoid(rx + rh)
            again = (r * mask * h) @ more["u_m"]
            again = _normed(again, more["gain_u"][2 * n :]) if "gain_u" in more else again
            m = np.tanh(nx + again)
        else:
            rh, zh, nh = np.split(normed((mask * h) @ u, "gain_u") + b_h, 3, axis=1)
            m = np.tanh(nx + sigmoid(rx + rh) * nh)
        z = sigmoid(zx + zh)
        return (z * h + (1 - z) * m,)

    return _run(x, n, 1, step, returns, backward, lengths, bumps, start)


def output_rnn(
    x, params, how, returns, backward=False, mask=1.0, start=None, taught=None
):  # fmt: skip
    """What goes from step to step is the output; ``taught`` (N, T, outputs) in its place."""
    n, steps, _ = x.shape
    w, u, v = params["w"], params["u"], params["v"]
    g, f = NONLINEARITIES[how["nonlinearity"]], OUTPUTS[how["output_activation"]]
    before = np.zeros((n, v.shape[1])) if start is None else start
    every = np.zeros((n, steps, v.shape[1]))
    for k, t in enumerate(reversed(range(steps)) if backward else range(steps)):
        before = before if taught is None or k == 0 else taught[:, t]
        h = g(x[:, t] @ w + (mask * before) @ u + params.get("b", 0.0))
        sums = h @ v + params.get("c", 0.0)
        before = f(sums)
        every[:, t] = sums if how["signals"] else before
    return every if returns == "sequence" else every[:, 0 if backward else -1]


OUTPUTS = {**NONLINEARITIES, "softmax": softmax}
CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru}


def layer(node, x, params, lengths=None, second=None):
    """A node of a graph, by its fields; parameters by their short names."""
    columns = params["w"].shape[1]
    names = ("b", "b_h") if node.op == "gru" else ("b",)
    biases = [params.get(name, np.zeros(columns)) for name in names]
    kind = [node.fields["nonlinearity"]] if node.op == "rnn" else []
    fields = node.fields
    start = learned(params, len(x))
    if node.op == "output_rnn":
        given = {"start": start, "taught": second if fields["teacher_forcing"] else None}
        return output_rnn(x, params, fields, fields["returns"], fields["backward"], **given)
    return CELLS[node.op](
        x, params["w"], params["u"], *biases, *kind, fields["returns"], fields["backward"],
        lengths=lengths, start=start if second is None else second, more=options(params),
    )  # fmt: skip


def options(params):
    """Parameters that only options of a cell have."""
    return {n: a for n, a in params.items() if n not in ("w", "u", "b", "b_h", "h0", "c0")}


def learned(params, samples):
    """The states for the start, where they are trained."""
    found = [params[name] for name in ("h0", "c0") if name in params]
    return np.tile(np.concatenate(found), (samples, 1)) if found else None
