"""One function for each op of a graph: it returns what computes the node's output with torch.

    @layer("dense")
    def dense(node, weights): ... return function of the input tensors

``node`` is a table of ``work.describe``; ``weights(node, "w", turn)`` gives the node's parameter in
torch's layout (``turn`` maps from ours), one tensor however many nodes use it, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

Node = Mapping[str, Any]
Weights = Callable[..., Any]
Function = Callable[..., Tensor]

LAYERS: dict[str, Callable[[Node, Weights], Function]] = {}


class NotInPeer(Exception):
    """The peer has no counterpart for something in the network."""


def layer(*tags: str) -> Callable[[Any], Any]:
    """Register a layer's function under its tags."""

    def register(make: Any) -> Any:
        LAYERS.update(dict.fromkeys(tags, make))
        return make

    return register


def build(node: Node, weights: Weights) -> Function:
    """Return the function of a node. Raises NotInPeer."""
    if node["op"] not in LAYERS:
        raise NotInPeer(f"the peer has no layer {node['op']!r} yet (tests/bench/peer/layers.py)")
    return LAYERS[node["op"]](node, weights)


@layer("dense")
def dense(node: Node, weights: Weights) -> Function:
    weight, bias = weights(node, "w", Tensor.t), weights(node, "b")
    if node["params"]["w"]["transposed"]:
        return lambda x: F.linear(x, weight.t(), bias)
    return lambda x: F.linear(x, weight, bias)


@layer("flatten", "reshape")
def reshape(node: Node, weights: Weights) -> Function:
    shape = node["shape"]
    return lambda x: x.reshape(len(x), *shape)


@layer("dropout")
def dropout(node: Node, weights: Weights) -> Function:
    rate = node["fields"]["rate"]
    return lambda x: F.dropout(x, rate, torch.is_grad_enabled())


@layer("add")
def add(node: Node, weights: Weights) -> Function:
    def total(first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = first + other
        return first

    return total


@layer("multiply")
def multiply(node: Node, weights: Weights) -> Function:
    def product(first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = first * other
        return first

    return product


@layer("concat")
def concat(node: Node, weights: Weights) -> Function:
    axis = node["fields"]["axis"]
    return lambda *x: torch.cat(x, axis + 1 if axis >= 0 else axis)


def _either(new: Function, in_place: Function) -> Callable[[Node, Weights], Function]:
    return lambda node, weights: in_place if node["in_place"] else new


layer("linear")(lambda node, weights: lambda x: x)
layer("relu")(_either(torch.relu, torch.relu_))
layer("sigmoid")(_either(torch.sigmoid, torch.sigmoid_))
layer("tanh")(_either(torch.tanh, torch.tanh_))
layer("softplus")(lambda node, weights: F.softplus)
layer("gelu")(lambda node, weights: F.gelu)
layer("silu")(lambda node, weights: F.silu)
layer("softmax")(lambda node, weights: partial(torch.softmax, dim=-1))


@layer("leaky_relu")
def leaky_relu(node: Node, weights: Weights) -> Function:
    return partial(F.leaky_relu, negative_slope=node["fields"]["slope"], inplace=node["in_place"])


@layer("elu")
def elu(node: Node, weights: Weights) -> Function:
    return partial(F.elu, alpha=node["fields"]["alpha"], inplace=node["in_place"])
