"""Recurrent layers as loops over steps, in float64, written from the formulas.

x (N, T, I), w (I, G H), u (H, G H), b (G H,); ``lengths`` (N,): steps that count;
``bumps`` (N, T, H) are added to the states, so that the derivative by one is that by a state;
``mask`` (N, H) is what the products with the state see of it; ``start`` (N, H), or (N, 2 H) with
the cell's own, the states before the first step.
"""

from __future__ import annotations

import numpy as np

from tests.reference.ops import relu, sigmoid

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


def lstm(x, w, u, b, returns, backward=False, lengths=None, bumps=None, mask=1.0, start=None):
    """Gates in the order input, forget, candidate, output."""
    units = len(u)

    def step(now, h, c):
        i, f, g, o = np.split(now @ w + (mask * h) @ u + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    return _run(x, units, 2, step, returns, backward, lengths, bumps, start)


def rnn(
    x, w, u, b, nonlinearity, returns, backward=False, lengths=None, bumps=None, mask=1.0,
    start=None,
):  # fmt: skip
    """Elman's network."""

    def step(now, h):
        return (NONLINEARITIES[nonlinearity](now @ w + (mask * h) @ u + b),)

    return _run(x, len(u), 1, step, returns, backward, lengths, bumps, start)


def gru(x, w, u, b, b_h, returns, backward=False, lengths=None, bumps=None, mask=1.0, start=None):
    """Gates in the order reset, update, candidate; the reset gate acts on the product with h."""

    def step(now, h):
        rx, zx, nx = np.split(now @ w + b, 3, axis=1)
        rh, zh, nh = np.split((mask * h) @ u + b_h, 3, axis=1)
        r, z = sigmoid(rx + rh), sigmoid(zx + zh)
        n = np.tanh(nx + r * nh)
        return (z * h + (1 - z) * n,)

    return _run(x, len(u), 1, step, returns, backward, lengths, bumps, start)


CELLS = {"rnn": rnn, "lstm": lstm, "gru": gru}


def layer(node, x, params):
    """A node of a graph, by its fields; parameters by their short names."""
    columns = params["w"].shape[1]
    names = ("b", "b_h") if node.op == "gru" else ("b",)
    biases = [params.get(name, np.zeros(columns)) for name in names]
    more = [node.fields["nonlinearity"]] if node.op == "rnn" else []
    fields = node.fields
    return CELLS[node.op](
        x, params["w"], params["u"], *biases, *more, fields["returns"], fields["backward"]
    )
