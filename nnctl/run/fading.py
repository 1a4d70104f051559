"""What recurrent layers remember: how gradients, and the influence of inputs, fade with distance.

Both are computed in double precision, from the inputs and weights of the layers and from what
comes back to their outputs in one training batch. Training itself does nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.graph import Graph
from nnctl.graph.graph import Node
from nnctl.run.cells import Array, Slopes, is_known, slopes

if TYPE_CHECKING:
    from nnctl.plan import Plan

SAMPLES = 16  # of the batch, at most
SEEN, UNITS = 8, 32  # samples and units, at most, whose dependence on every input is computed


def fading(plan: Plan, graph: Graph, split: str, rows: Array) -> list[dict[str, Any]]:
    """Return a row for each recurrent layer: ``gradient`` by step of the input, ``influence`` by
    distance from the last step taken.

    Left out is a layer that does more than its cell here: the engine's states are other ones then,
    or its units do not stand alone behind the products.
    """
    from nnctl.plan.inspect import signals

    nodes = [
        node for node in graph.nodes if node.steps is not None and is_known(node.op, node.fields)
    ]
    if not nodes:
        return []
    held, parameters = signals(plan, split, rows[:SAMPLES], nodes), plan.parameters()
    with np.errstate(all="ignore"):  # what explodes may do so beyond all numbers
        made = [_row(node, *held[node.name], parameters) for node in nodes]
    return [row for row in made if row is not None]


def _row(
    node: Node, x: Array, y: Array, dy: Array, parameters: Mapping[str, Array]
) -> dict[str, Any] | None:
    params = {n: parameters[use.parameter].astype(float) for n, use in node.params.items()}
    found = _walked(node, x.astype(float), params)
    if not np.allclose(_output(node, found), y, rtol=0, atol=1e-3):
        return None
    gradient, influence = norms(node, found, dy.astype(float), params)
    return {
        "layer": node.layer,
        "type": node.op,
        "samples": len(x),
        "gradient": gradient.tolist(),
        "influence": influence.tolist(),
    }


def _walked(node: Node, x: Array, params: Mapping[str, Array]) -> Slopes:
    return slopes(node.op, node.fields, params, x[:, _taken(node)])


def _taken(node: Node) -> slice:
    """The steps of the input in the order that they are taken in, and back again."""
    return slice(None, None, -1 if node.steps and node.steps.backward else 1)


def _output(node: Node, found: Slopes) -> Array:
    """What the layer gives by these states."""
    every = node.steps is not None and node.steps.every
    states = found.states[_taken(node)].swapaxes(0, 1) if every else found.states[-1]
    return np.asarray(states)


def norms(node: Node, found: Slopes, dy: Array, params: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the norm of d loss / d h at every step of the input, and, by distance, the root mean
    square over units and samples of the norm of d h / d x, h being the last state.

    dy is d loss / d output, (N, T, units) or that of the last state (N, units).
    """
    count, units = len(found.h[0]), len(params["u"])
    every = dy.ndim == 3
    back = dy[:, _taken(node)].swapaxes(0, 1) if every else _at_the_end(dy, count)
    totals = [np.linalg.norm(dh) for dh, _ in _back(found, params, back[:, :, None])]
    gradient = np.array(totals[::-1])[_taken(node)]
    chosen = np.unique(np.linspace(0, units - 1, min(units, UNITS)).round().astype(int))
    samples = min(SEEN, found.h.shape[2])
    each = np.broadcast_to(np.eye(units)[chosen], (samples, len(chosen), units))
    influence = [
        np.sqrt(np.square(dx).sum(-1).mean())
        for _, dx in _back(_few(found, samples), params, _at_the_end(each, count))
    ]
    return gradient, np.array(influence)


def _few(found: Slopes, samples: int) -> Slopes:
    x, u, h, c = (values[:, :, :samples] for values in found[:4])
    return Slopes(x, x if found.u is found.x else u, h, c, found.states[:, :samples])


def _at_the_end(given: Array, steps: int) -> Array:
    """What comes back to the states of all steps, if only the last one is given."""
    found = np.zeros((steps, *given.shape))
    found[-1] = given
    return found


def _back(
    found: Slopes, params: Mapping[str, Array], given: Array
) -> Iterator[tuple[Array, Array]]:
    """Go back through time with what comes to each state, (T, N, K, units): yield the total at h
    and at the input of each step, from the last one taken to the first."""
    dh, dc = np.zeros_like(given[0]), np.zeros_like(given[0])
    w, u = params["w"].T, params["u"].T
    shows_c = found.c[0].any()  # h is a function of the old c
    for t in range(len(given) - 1, -1, -1):
        dh = dh + given[t]
        both = (dh, dc) if shows_c else (dh,)
        of_x = _gates(both, found.x[:, t])
        of_u = of_x if found.u is found.x else _gates(both, found.u[:, t])
        yield dh, of_x @ w
        old_h, old_c = (_times(both, part[:, t, :, None]) for part in (found.h, found.c))
        dh, dc = old_h + of_u @ u, old_c


def _gates(both: tuple[Array, ...], part: Array) -> Array:
    """The gradients of the gates (N, K, G U) by those of the states (N, K, U)."""
    wide = _times([each[:, :, None] for each in both], part[:, :, None])
    return wide.reshape(*wide.shape[:2], -1)


def _times(both: Sequence[Array], part: Array) -> Array:
    """The sum over the states of what comes back to one, times its derivative."""
    total: Array = sum(each * slope for each, slope in zip(both, part, strict=False))
    return total
