"""One function for each op of a graph: it returns what computes the node's output with torch.

    @layer("dense")
    def dense(node, weights): ... return function of the input tensors

``node`` is a table of ``work.describe``; ``weights(node, "w", turn)`` gives the node's parameter in
torch's layout (``turn`` maps from ours), one tensor however many nodes use it, or None.

Grids are (N, C, H, W) in torch, in either memory format; ours are channels last. What a flatten
makes of a grid stays in torch's order: the dense layer behind it has its weights turned.
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

Layers = Mapping[str, Callable[[Node, Weights], Function]]

LAYERS: dict[str, Callable[[Node, Weights], Function]] = {}


class NotInPeer(Exception):
    """The peer has no counterpart for something in the network."""


def layer(*tags: str) -> Callable[[Any], Any]:
    """Register a layer's function under its tags."""

    def register(make: Any) -> Any:
        LAYERS.update(dict.fromkeys(tags, make))
        return make

    return register


def build(node: Node, weights: Weights, layers: Layers = LAYERS) -> Function:
    """Return the function of a node. Raises NotInPeer."""
    if node["op"] not in layers:
        raise NotInPeer(f"the peer has no layer {node['op']!r} yet (tests/bench/peer/layers.py)")
    return layers[node["op"]](node, weights)


@layer("dense")
def dense(node: Node, weights: Weights) -> Function:
    grid = node["flattened"]

    def turn(w: Tensor) -> Tensor:
        rows = w.reshape(*grid, -1).movedim(len(grid) - 1, 0).reshape(w.shape) if grid else w
        return rows.t()

    weight, bias = weights(node, "w", turn), weights(node, "b")
    if node["params"]["w"]["transposed"]:
        return lambda x: F.linear(x, weight.t(), bias)
    return lambda x: F.linear(x, weight, bias)


@layer("embedding")
def embedding(node: Node, weights: Weights) -> Function:
    weight = weights(node, "w")
    return lambda x: F.embedding(x, weight)


@layer("flatten")
def flatten(node: Node, weights: Weights) -> Function:
    return lambda x: x.flatten(1)


@layer("reshape")
def reshape(node: Node, weights: Weights) -> Function:
    shape = node["shape"]
    if node["grid"]:
        raise NotInPeer("a reshape among grids")
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


@layer("average")
def average(node: Node, weights: Weights) -> Function:
    return lambda *x: torch.stack(x).mean(0)


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
    if node["grid"]:
        if axis not in (-1, len(node["shape"]) - 1):
            raise NotInPeer("a concat of grids along another axis than channels")
        return lambda *x: torch.cat(x, 1)
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


@layer("conv1d", "conv2d", "conv3d")
def conv(node: Node, weights: Weights) -> Function:
    fields, rank = node["fields"], len(node["shape"]) - 1
    if fields["flip_kernel"] or fields["padding_mode"] != "zeros":
        raise NotInPeer("turned kernels and other borders than zeros")
    weight = weights(node, "w", lambda w: w.movedim((-1, -2), (0, 1)))
    run = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[rank]
    stride, dilation = (_each(fields[key], rank) for key in ("stride", "dilation"))
    pads = _same_both_ends(node)
    bias, groups = weights(node, "b"), fields["groups"]
    return lambda x: run(x, weight, bias, stride, pads, dilation, groups)


@layer("depthwise_conv1d", "depthwise_conv2d", "depthwise_conv3d")
def depthwise_conv(node: Node, weights: Weights) -> Function:
    channels = node["shape"][-1] // node["fields"]["depth_multiplier"]
    return conv({**node, "fields": {**node["fields"], "groups": channels}}, weights)


@layer("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d")
def pool(node: Node, weights: Weights) -> Function:
    rank, stem = len(node["shape"]) - 1, node["op"][:3]
    size = _each(node["fields"]["pool_size"], rank)
    stride = node["fields"]["stride"]
    stride = size if stride is None else _each(stride, rank)
    run = getattr(F, f"{stem}_pool{rank}d")
    if stem == "avg":
        run = partial(run, count_include_pad=node["fields"]["count_padding"])
    return partial(run, kernel_size=size, stride=stride, padding=_same_both_ends(node))


@layer("global_avg_pool")
def global_avg_pool(node: Node, weights: Weights) -> Function:
    return lambda x: x.mean(tuple(range(2, x.ndim)))


@layer("batch_norm")
def batch_norm(node: Node, weights: Weights) -> Function:
    gamma, beta = weights(node, "gamma"), weights(node, "beta")
    channels, fields = node["shape"][-1], node["fields"]
    mean, variance = torch.zeros(channels), torch.ones(channels)
    rate, small = 1 - fields["running_decay"], fields["epsilon"]

    def run(x: Tensor) -> Tensor:
        training = torch.is_grad_enabled()
        return F.batch_norm(x, mean, variance, gamma, beta, training, rate, small)

    return run


def _each(value: Any, rank: int) -> list[int]:
    return list(value) if isinstance(value, list) else [value] * rank


def _same_both_ends(node: Node) -> list[int]:
    """The padding of each axis. Raises NotInPeer where torch would have to pad beforehand."""
    if node["padding"] is None:
        raise NotInPeer("padding of which the ends differ")
    return list(node["padding"])
