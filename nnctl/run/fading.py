"""What recurrent layers remember: how gradients, and the influence of inputs, fade with distance.

Both are computed in double precision, from the inputs and weights of the layers and from what
comes back to their outputs for a few samples of a training batch. Training itself does nothing for
it. Sequences of several lengths are laid so that all end together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.graph import Graph
from nnctl.graph.graph import Node
from nnctl.run.cells import CELLS, Array, Slopes, is_known, slopes

if TYPE_CHECKING:
    from nnctl.plan import Plan

SAMPLES = 16  # of the batch, at most
NUMBERS = 1 << 17  # of all their steps, but for two samples: more would take longer than 0.1 s
UNITS = 8  # at most, whose dependence on every input is computed


def fading(plan: Plan, graph: Graph, split: str, rows: Array) -> list[dict[str, Any]]:
    """Return a row for each recurrent layer: ``gradient`` by step of the input, ``influence`` by
    distance from the last step taken.

    A layer that does more than its cell here has ``missing`` in their place: the engine's states
    are other ones then, or its units do not stand alone behind the products.
    """
    from nnctl.plan.inspect import signals

    every = [node for node in graph.nodes if node.steps is not None]
    nodes = [node for node in every if node.op in CELLS]
    held, parameters = {}, plan.parameters()
    if nodes:
        each = sum(node.steps.count * node.steps.numbers for node in nodes if node.steps)
        rows = rows[: min(max(NUMBERS // each, 2), SAMPLES)]
        held = signals(plan, split, rows, nodes)
    found = []
    for node in every:
        row = {"missing": "from step to step goes its output, and not its state"}
        if node.name in held:
            lengths = _lengths(plan, graph, split, node)[rows]
            with np.errstate(all="ignore"):  # what explodes may do so beyond all numbers
                row = _row(node, lengths, *held[node.name], parameters)
        found.append({"layer": node.name, "type": node.op} | row)
    return found


def _lengths(plan: Plan, graph: Graph, split: str, node: Node) -> Array:
    """The steps of all samples of a split that a node reads."""
    data, known = plan.splits[split], graph.node(node.inputs[0]).lengths
    if known is None:
        return np.full(data.count, node.steps.count if node.steps else 0)
    return np.asarray(known.of(data.lengths[known.input].reshape(-1)))


def _row(
    node: Node,
    lengths: Array,
    read: Sequence[Array],
    y: Array,
    dy: Array,
    parameters: Mapping[str, Array],
) -> dict[str, Any]:
    params = {n: parameters[use.parameter].astype(float) for n, use in node.params.items()}
    if not is_known(node.op, node.fields):
        return {"missing": "its units are mixed behind the products of a step"}
    x, *starts = read
    for start in starts:  # h, or h and c, side by side
        states = start.astype(float).reshape(len(x), -1, len(params["u"])).swapaxes(0, 1)
        params |= dict(zip(("h0", "c0"), states, strict=False))
    steps, backward = x.shape[1], bool(node.steps and node.steps.backward)
    taken = aligned(x.astype(float), lengths, backward)
    found = slopes(node.op, node.fields, params, taken, steps - lengths)
    states = found.states.swapaxes(0, 1)
    taken_here = np.arange(steps) >= steps - lengths[:, None]
    made, given = states[:, -1], y
    if y.ndim == 3:
        made, given = states[taken_here], aligned(y, lengths, backward)[taken_here]
    if not np.allclose(made, given, rtol=0, atol=1e-3):
        return {"missing": _reason(node)}
    gradient, influence = norms(node, found, dy.astype(float), params, lengths)
    return {
        "samples": len(x),
        "gradient": gradient.tolist(),
        "influence": influence.tolist(),
    }


def _reason(node: Node) -> str:
    if node.fields.get("recurrent_dropout"):
        return "in training recurrent dropout leaves out a part of its states"
    return "its states in training are not those of its cell alone"


def aligned(values: Array, lengths: Array, backward: bool) -> Array:
    """Lay steps (N, T, ...) in the order that they are taken in, so that all samples end together;
    before their start are zeros."""
    found = np.zeros_like(values)
    for row, length in enumerate(lengths):
        part = values[row, :length]
        found[row, values.shape[1] - length :] = part[::-1] if backward else part
    return found


def _natural(values: Array, lengths: Array, backward: bool) -> Array:
    """Lay steps that are ``aligned`` as they stand in the input."""
    found = np.zeros_like(values)
    for row, length in enumerate(lengths):
        part = values[row, values.shape[1] - length :]
        found[row, :length] = part[::-1] if backward else part
    return found


def norms(
    node: Node, found: Slopes, dy: Array, params: Mapping[str, Array], lengths: Array | None = None
) -> tuple[Array, Array]:
    """Return the norm of d loss / d h at every step of the input, and, by distance, the root mean
    square over units and samples of the norm of d h / d x, h being the last state.

    dy is d loss / d output, (N, T, units) or that of the last state (N, units). Of a distance count
    those samples that are as long.
    """
    count, units = len(found.h[0]), len(params["u"])
    samples, backward = found.h.shape[2], bool(node.steps and node.steps.backward)
    lengths = np.full(samples, count) if lengths is None else lengths
    every = dy.ndim == 3
    back = aligned(dy, lengths, backward).swapaxes(0, 1) if every else _at_the_end(dy, count)
    squares = [np.square(dh).sum((1, 2)) for dh, _ in _back(found, params, back[:, :, None])]
    of_steps = _natural(np.array(squares[::-1]).T, lengths, backward)
    chosen = np.unique(np.linspace(0, units - 1, min(units, UNITS)).round().astype(int))
    each = np.broadcast_to(np.eye(units)[chosen], (samples, len(chosen), units))
    influence = [
        np.sqrt(np.square(dx).sum(-1)[lengths > distance].mean())
        for distance, (_, dx) in enumerate(_back(found, params, _at_the_end(each, count)))
        if (lengths > distance).any()
    ]
    return np.sqrt(of_steps.sum(0))[: lengths.max()], np.array(influence)


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
