"""Make ``losses.json``: the first losses of every case by PyTorch's autograd. Not run by the suite.

``python -m tests.goldens.make_goldens > tests/goldens/losses.json``

From nnctl come the spec, the graph's wiring, the split data and the order of the rows; forward,
gradients and updates are PyTorch's or written here, in float64.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nnctl.run.prepare import Prepared, class_weights
from tests.goldens.cases import CASES, batches, prepared, start

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

OPS: dict[str, Any] = {
    "relu": lambda n, x: torch.relu(x),
    "leaky_relu": lambda n, x: F.leaky_relu(x, n.fields["slope"]),
    "elu": lambda n, x: F.elu(x, n.fields["alpha"]),
    "sigmoid": lambda n, x: torch.sigmoid(x),
    "tanh": lambda n, x: torch.tanh(x),
    "softplus": lambda n, x: F.softplus(x),
    "gelu": lambda n, x: F.gelu(x),
    "silu": lambda n, x: F.silu(x),
    "linear": lambda n, x: x,
    "dropout": lambda n, x: x,
    "flatten": lambda n, x: x.reshape(len(x), -1),
    "reshape": lambda n, x: x.reshape(len(x), *n.shape),
    "add": lambda n, *x: sum(x),
    "multiply": lambda n, *x: torch.stack(x).prod(0),
    "concat": lambda n, *x: torch.cat(x, -1),
}


REGRESSION: dict[str, Any] = {
    "mse": lambda y, t, fields: (y - t) ** 2,
    "mae": lambda y, t, fields: (y - t).abs(),
    "huber": lambda y, t, fields: F.huber_loss(y, t, delta=fields["delta"], reduction="none"),
}


def forward(found: Prepared, values: dict[str, Tensor], rows: np.ndarray) -> dict[str, Tensor]:
    """Return the output of every node."""
    done: dict[str, Tensor] = {}
    for node in found.graph.nodes:
        if node.op == "input":
            name = node.name.removeprefix("input").removeprefix(".")
            done[node.name] = seen(found.parts["train"].inputs[name][rows], found, name)
        elif node.op == "dense":
            w = values[node.params["w"].parameter]
            w = w.T if node.params["w"].transposed else w
            done[node.name] = done[node.inputs[0]] @ w
            if "b" in node.params:
                done[node.name] = done[node.name] + values[node.params["b"].parameter]
        else:
            done[node.name] = OPS[node.op](node, *(done[x] for x in node.inputs))
    return done


def seen(x: np.ndarray, found: Prepared, name: str) -> Tensor:
    """Return an input as the network sees it."""
    numbers = x / 255.0 if x.dtype == np.uint8 else x.astype(np.float64)
    pair = found.normalizer.inputs.get(name)
    return torch.from_numpy((numbers - pair[0]) * pair[1] if pair else numbers)


def truth(t: np.ndarray, found: Prepared, name: str) -> Tensor:
    """Return a target as the network is to give it."""
    pair = found.normalizer.targets.get(name)
    return torch.from_numpy(np.asarray((t - pair[0]) * pair[1] if pair else t))


def data_loss(found: Prepared, done: dict[str, Tensor], rows: np.ndarray) -> Tensor:
    """Return the weighted sum of the losses, each a mean over the batch."""
    weights = class_weights(found.spec, found.graph, found.info, found.parts["train"])
    total = torch.zeros(())
    for loss in found.graph.losses:
        t = truth(found.parts["train"].targets[loss.target][rows], found, loss.target)
        y, fields = done[loss.output], loss.fields
        if loss.type == "cross_entropy":
            each = F.cross_entropy(
                y,
                t,
                weight=None if loss.output not in weights else torch.tensor(weights[loss.output]),
                label_smoothing=fields["label_smoothing"],
                reduction="none",
            )
        elif loss.type == "binary_cross_entropy":
            t = t.reshape(y.shape).double()
            t = t * (1 - fields["label_smoothing"]) + fields["label_smoothing"] / 2
            weight = torch.tensor(fields["pos_weight"])
            each = F.binary_cross_entropy_with_logits(y, t, pos_weight=weight, reduction="none")
        else:
            t = t.reshape(y.shape).double()
            each = REGRESSION[loss.type](y, t, fields)
        total = total + loss.weight * each.mean()
    return total


def penalty(found: Prepared, values: dict[str, Tensor]) -> Tensor:
    """Return l1 times the magnitudes plus l2 / 2 times the squares."""
    terms = [
        p.l1 * values[name].abs().sum() + p.l2 / 2 * (values[name] ** 2).sum()
        for name, p in found.graph.parameters.items()
    ]
    return torch.stack(terms).sum()


class Mover:
    """The optimizers: the notes' forms by hand, torch's own where the form is torch's."""

    def __init__(self, found: Prepared, values: dict[str, Tensor]) -> None:
        self.fields, self.values = found.spec.optimizer, values
        self.v = {name: torch.zeros_like(value) for name, value in values.items()}
        self.torch = None
        rate = self.fields.learning_rate
        if self.fields.type == "adam":
            f = self.fields
            self.torch = torch.optim.Adam(values.values(), rate, (f.beta1, f.beta2), f.epsilon)
        elif self.fields.form == "torch":
            f = self.fields
            self.torch = torch.optim.SGD(values.values(), rate, f.momentum, nesterov=f.nesterov)

    def before(self) -> None:
        """Move to the look-ahead point of the notes' Nesterov."""
        if self.torch is None and self.fields.nesterov:
            with torch.no_grad():
                for name, value in self.values.items():
                    value += self.fields.momentum * self.v[name]

    def step(self, rate: float) -> None:
        """Move by the gradients."""
        if self.torch is not None:
            self.torch.param_groups[0]["lr"] = rate
            self.torch.step()
            return
        with torch.no_grad():
            for name, value in self.values.items():
                if self.fields.nesterov:
                    value -= self.fields.momentum * self.v[name]
                self.v[name] = self.fields.momentum * self.v[name] - rate * value.grad
                value += self.v[name]


def rate_of(found: Prepared, epoch: int) -> float:
    """Return the learning rate of an epoch."""
    first, schedule = found.spec.optimizer.learning_rate, found.spec.schedule
    if schedule.type == "constant":
        return first
    part = min(epoch / schedule.epochs, 1.0)
    return (1 - part) * first + part * schedule.final


def losses_of(case: str) -> list[float]:
    """Return the data loss of each of the first steps."""
    found = prepared(case)
    shapes = {name: p.shape for name, p in found.graph.parameters.items()}
    values = {n: torch.from_numpy(v).requires_grad_() for n, v in start(shapes).items()}
    mover = Mover(found, values)
    losses = []
    for epoch, _, rows in batches(found):
        mover.before()
        for value in values.values():
            value.grad = None
        loss = data_loss(found, forward(found, values, rows), rows)
        (loss + penalty(found, values)).backward()
        mover.step(rate_of(found, epoch))
        losses.append(loss.item())
    return losses


def main() -> None:
    """Write the goldens to stdout."""
    made_by = {"torch": torch.__version__, "numpy": np.__version__}
    goldens = {"made_by": made_by, "losses": {case: losses_of(case) for case in CASES}}
    json.dump(goldens, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
