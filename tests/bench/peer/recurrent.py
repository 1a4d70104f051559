"""Recurrent layers of the peer: the functions behind ``torch.nn.RNN``, ``LSTM`` and ``GRU``.

Both sides have their gates in one order (i, f, g, o and r, z, n); torch's weights are
(gates * units, inputs), and it has two biases where we have one: the other is zero there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tests.bench.peer.layers import Function, Node, NotInPeer, Weights, layer

Run = Callable[..., Any]


@layer("gru")
def gru(node: Node, weights: Weights) -> Function:
    return _recurrent(node, weights, lambda x, h, *rest: torch.gru(x, h, *rest))


@layer("lstm")
def lstm(node: Node, weights: Weights) -> Function:
    return _recurrent(node, weights, lambda x, h, *rest: torch.lstm(x, (h, h), *rest)[:2])


@layer("rnn")
def rnn(node: Node, weights: Weights) -> Function:
    kind = node["fields"]["nonlinearity"]
    if kind not in ("tanh", "relu"):
        raise NotInPeer(f"a simple recurrent layer of {kind}")
    return _recurrent(node, weights, {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[kind])


def _recurrent(node: Node, weights: Weights, run: Run) -> Function:
    fields, arrays = node["fields"], _arrays(node, weights)
    units, biased = fields["units"], len(arrays) > 2
    backward, last = fields["backward"], fields["returns"] == "last"
    if fields["recurrent_dropout"]:
        raise NotInPeer("dropout inside the recurrence")

    def states(x: Tensor) -> Tensor:
        start = x.new_zeros(1, len(x), units)
        given = x.flip(1) if backward else x
        training = torch.is_grad_enabled()
        # one layer, no dropout, one direction, batch first
        every, final = run(given, start, arrays, biased, 1, 0.0, training, False, True)
        if last:
            return final[0]
        return every.flip(1) if backward else every

    return states


def _arrays(node: Node, weights: Weights) -> list[Any]:
    """w, u, and both biases if there are any."""
    found = [weights(node, name, lambda w: w.t()) for name in ("w", "u")]
    biases = [weights(node, name) for name in ("b", "b_h")]
    if biases[0] is None:
        return found
    return [*found, *(torch.zeros_like(biases[0]) if b is None else b for b in biases)]


def _step(run: Run) -> Callable[[Node, Weights], Function]:
    """A layer's function of one step (N, C) of a sequence, from zeros on; torch's cells are faster
    here than its layers."""

    def make(node: Node, weights: Weights) -> Function:
        arrays, units = _arrays(node, weights), node["fields"]["units"]
        state: Any = torch.zeros(1, units)
        if node["op"] == "lstm":
            state = (state, state)

        def step(x: Tensor) -> Tensor:
            nonlocal state
            state = run(x, state, *arrays)
            return state[0] if isinstance(state, tuple) else state

        return step

    return make


STEPS = {
    "lstm": _step(torch.lstm_cell),
    "gru": _step(torch.gru_cell),
    "rnn": _step(torch.rnn_tanh_cell),
}
"""Layers that have states, by op: what makes the function of a step."""
