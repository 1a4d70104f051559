"""Losses and optimizers of the peer, as our specs mean them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from tests.bench.peer.layers import NotInPeer
from tests.bench.peer.network import Network

Fields = Mapping[str, Any]


def _cross_entropy(fields: Fields) -> Callable[[Tensor, Tensor], Tensor]:
    if fields.get("class_weights") is not None:
        raise NotInPeer("class weights: torch divides by their sum, not by the batch")
    smoothing = fields["label_smoothing"]

    def loss(y: Tensor, t: Tensor) -> Tensor:
        if t.ndim > 1:  # over steps: those with the label -1 do not count
            y, t = y.flatten(0, 1), t.flatten()
        return F.cross_entropy(y, t, label_smoothing=smoothing, ignore_index=-1)

    return loss


def _binary(fields: Fields) -> Callable[[Tensor, Tensor], Tensor]:
    weight, smoothing = torch.tensor(fields["pos_weight"]), fields["label_smoothing"]

    def loss(y: Tensor, t: Tensor) -> Tensor:
        soft = t * (1 - smoothing) + smoothing / 2 if smoothing else t
        return F.binary_cross_entropy_with_logits(y, soft, pos_weight=weight)

    return loss


LOSSES: dict[str, Callable[[Fields], Callable[[Tensor, Tensor], Tensor]]] = {
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary,
    "mse": lambda fields: F.mse_loss,
    "mae": lambda fields: F.l1_loss,
    "huber": lambda fields: lambda y, t: F.huber_loss(y, t, delta=fields["delta"]),
}
TAKES_LABELS = {"cross_entropy"}


def loss_function(network: Mapping[str, Any]) -> Callable[..., Tensor]:
    """Return total(outputs, targets by name): the weighted sum of the mean losses."""
    places = {name: k for k, name in enumerate(network["outputs"])}
    terms = [
        (places[x["output"]], x["target"], LOSSES[x["type"]](x["fields"]), x["weight"])
        for x in network["losses"]
    ]
    if len(terms) == 1 and terms[0][3] == 1:
        place, target, function, _ = terms[0]
        return lambda outputs, targets: function(outputs[place], targets[target])
    return lambda outputs, targets: sum(
        weight * function(outputs[place], targets[target])
        for place, target, function, weight in terms
    )


def target_tensor(values: Any, loss: Mapping[str, Any], width: int) -> Tensor:
    """Return a target as its loss reads it: labels, or float rows (labels one-hot or 0 and 1)."""
    tensor = torch.as_tensor(values)
    if tensor.dtype != torch.int64:
        return tensor.to(torch.float32)
    if loss["type"] in TAKES_LABELS:
        return tensor
    rows = tensor.reshape(-1, 1) if width == 1 else F.one_hot(tensor, width)
    return rows.to(torch.float32)


def optimizer(network: Mapping[str, Any], net: Network) -> torch.optim.Optimizer:
    """Return torch's optimizer with our constants, fused; l2 is its weight decay."""
    fields, rate = network["optimizer"], network["optimizer"]["learning_rate"]
    if network["schedule"] != "constant":
        raise NotInPeer(f"the peer has no schedule {network['schedule']!r}")
    groups = list(_groups(network["penalties"], net))
    if fields["type"] == "adam":
        betas = (fields["beta1"], fields["beta2"])
        return torch.optim.Adam(groups, rate, betas, fields["epsilon"], fused=True)
    if fields["type"] == "sgd":
        if fields["nesterov"] and fields["form"] == "notes":
            raise NotInPeer("the notes' form of nesterov: torch steps from another point")
        momentum, nesterov = fields["momentum"], fields["nesterov"]
        return torch.optim.SGD(groups, rate, momentum, nesterov=nesterov, fused=True)
    raise NotInPeer(f"the peer has no optimizer {fields['type']!r} yet")


def _groups(penalties: Mapping[str, list[float]], net: Network) -> Any:
    """Yield the parameters by their weight decay."""
    if any(l1 for l1, _ in penalties.values()):
        raise NotInPeer("l1 penalties: torch's optimizers have none")
    by_decay: dict[float, list[Tensor]] = {}
    for name in net.names:
        by_decay.setdefault(penalties.get(name, [0.0, 0.0])[1], []).append(net.parameter(name))
    for decay, tensors in by_decay.items():
        yield {"params": tensors, "weight_decay": decay}
