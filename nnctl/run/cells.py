"""Cells of recurrent layers in NumPy, and their derivatives: what the report's charts are made of.

A cell is elementwise once the products with the input and with the state are there: every unit's
new state is a function of its own gates and of its own old state. So the derivatives of all units
are found at once, by steps into the complex plane: f'(x) = Im f(x + ih) / h, where nothing is
subtracted and h can be so small that nothing is lost (Squire & Trapp 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]
Fields = Mapping[str, Any]
Params = Mapping[str, Array]
# (gates from the input (..., G, U), gates from the state, h (..., U), c, fields, weights) -> (h, c)
Cell = Callable[[Array, Array, Array, Array, Fields, Params], tuple[Array, Array]]
H = 1e-150


def sigmoid(a: Array) -> Array:
    found: Array = 0.5 + 0.5 * np.tanh(0.5 * a)
    return found


NONLINEARITIES: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "relu": lambda a: np.where(a.real > 0, a, 0.0 * a),
    "sigmoid": sigmoid,
    "linear": lambda a: a,
}


def rnn(
    x: Array, u: Array, h: Array, c: Array, fields: Fields, params: Params
) -> tuple[Array, Array]:
    return NONLINEARITIES[fields["nonlinearity"]]((x + u)[..., 0, :]), c


def lstm(
    x: Array, u: Array, h: Array, c: Array, fields: Fields, params: Params
) -> tuple[Array, Array]:
    i, f, g, o = np.moveaxis(x + u, -2, 0)
    p = params.get("p", np.zeros((3, 1)))
    c = sigmoid(f + p[1] * c) * c + sigmoid(i + p[0] * c) * np.tanh(g)
    return sigmoid(o + p[2] * c) * np.tanh(c), c


def gru(
    x: Array, u: Array, h: Array, c: Array, fields: Fields, params: Params
) -> tuple[Array, Array]:
    (rx, zx, mx), (ru, zu, mu) = np.moveaxis(x, -2, 0), np.moveaxis(u, -2, 0)
    z, m = sigmoid(zx + zu), np.tanh(mx + sigmoid(rx + ru) * mu)
    return z * h + (1 - z) * m, c


CELLS: dict[str, Cell] = {"rnn": rnn, "lstm": lstm, "gru": gru}
APART = {"gru"}  # cells in which the two products do more than add up


def is_known(op: str, fields: Fields) -> bool:
    """Whether a layer's cell is one of these: elementwise behind its two products."""
    mixes = fields.get("layer_norm") or fields.get("reset", "after") == "before"
    return op in CELLS and not mixes


class Slopes(NamedTuple):
    """Derivatives of the new h and of the new c (first axis), for all steps in the order that they
    are taken in: by the gates ``x`` and ``u`` (2, T, N, G, U), by the old ``h`` and ``c``. And the
    states h themselves (T, N, U)."""

    x: Array
    u: Array
    h: Array
    c: Array
    states: Array


def slopes(op: str, fields: Fields, params: Params, x: Array, begins: Array | int = 0) -> Slopes:
    """Run a layer over x (N, T, inputs), the steps in the order that they are taken in; a sample's
    first one is ``begins``, and what lies before it changes nothing."""
    cell, units = CELLS[op], len(params["u"])
    gates = params["w"].shape[1] // units
    none = np.zeros(gates * units)
    split = (*x.shape[:2], gates, units)
    given = (x @ params["w"] + params.get("b", none)).reshape(split).swapaxes(0, 1)
    again, old_h, old_c = np.empty_like(given), *np.zeros((2, x.shape[1] + 1, len(x), units))
    live = (np.arange(x.shape[1])[:, None] >= begins).astype(float)[..., None]  # (T, N or 1, 1)
    start = old_h[0], old_c[0] = params.get("h0", 0.0), params.get("c0", 0.0)
    for t in range(x.shape[1]):
        product = old_h[t] @ params["u"] + params.get("b_h", none)
        again[t] = product.reshape(split[0], gates, units)
        new = cell(given[t], again[t], old_h[t], old_c[t], fields, params)
        pairs = zip(new, start, strict=True)
        old_h[t + 1], old_c[t + 1] = (each * live[t] + old * (1 - live[t]) for each, old in pairs)
    at = (given, again, old_h[:-1], old_c[:-1])

    slope = partial(_slope, lambda x, u, h, c: cell(x, u, h, c, fields, params))

    def by_gate(k: int) -> Array:
        return np.stack([slope(at, k, gate) * live for gate in range(gates)], axis=-2)

    of_x = by_gate(0)
    of_u = by_gate(1) if op in APART else of_x
    of_h, of_c = (slope(at, k, None) * live for k in (2, 3))
    return Slopes(of_x, of_u, of_h, of_c, old_h[1:])


def _slope(
    cell: Callable[[Array, Array, Array, Array], tuple[Array, Array]],
    at: tuple[Array, ...],
    k: int,
    gate: int | None,
) -> Array:
    """Derivatives of both states by one argument, or by one gate of it."""
    x, u, h, c = moved = [values + 0j for values in at]
    where = moved[k] if gate is None else moved[k][..., gate, :]
    where += 1j * H
    found: Array = np.stack([values.imag for values in cell(x, u, h, c)]) / H
    return found
