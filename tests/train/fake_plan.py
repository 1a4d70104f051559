"""A network in plain NumPy with the methods of a plan: 2 inputs, tanh hidden units, softmax, Adam.

Exact and deterministic: whatever the grouping of steps in calls, the same bits come out. It lets
the loop, the state and the checkpoints be tested without the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nnctl.random import Purpose, generator, permutation


@dataclass
class Log:
    done: int
    losses: np.ndarray
    gradient_norms: np.ndarray
    nonfinite: bool


@dataclass
class Measured:
    outputs: dict[str, np.ndarray]
    losses: dict[str, np.ndarray]
    loss: float
    terms: tuple[tuple[float, float, float], ...]


@dataclass
class FakePlan:
    """``poison_step``: the step (from 0) whose loss is NaN; ``on_train(step)`` precedes a call."""

    inputs: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    batch: int
    hidden: int = 4
    classes: int = 3
    poison_step: int = -1
    on_train: object = None
    calls: list[int] = field(default_factory=list)
    threads: int = 1
    compile_seconds: float = 0.0

    def __post_init__(self) -> None:
        width = self.inputs["train"].shape[1]
        shapes = {"dense_1.w": (width, self.hidden), "dense_2.w": (self.hidden, self.classes)}
        self.values = {}
        for i, (name, shape) in enumerate(shapes.items()):
            self.values[f"param/{name}"] = generator(0, Purpose.INIT, i).normal(size=shape)
            self.values[f"slot/adam.m/{name}"] = np.zeros(shape)
            self.values[f"slot/adam.v/{name}"] = np.zeros(shape)
        self.names = list(shapes)

    def train(self, order, start, first_step, rates) -> Log:
        if self.on_train is not None:
            self.on_train(first_step)
        self.calls.append(len(rates))
        losses, norms = [], []
        for i, rate in enumerate(rates):
            if first_step + i == self.poison_step:
                return Log(i, np.array(losses), np.array(norms), True)
            rows = order[start + i * self.batch : start + (i + 1) * self.batch]
            loss, norm = self._step(rows, first_step + i, rate)
            losses.append(loss)
            norms.append(norm)
        return Log(len(rates), np.array(losses), np.array(norms), False)

    def _step(self, rows, step, rate):
        x, labels = self.inputs["train"][rows], self.labels["train"][rows]
        w1, w2 = (self.values[f"param/{name}"] for name in self.names)
        hidden = np.tanh(x @ w1)
        outputs, losses = self._loss(hidden @ w2, labels)
        dout = outputs.copy()
        dout[np.arange(len(rows)), labels] -= 1
        dout /= len(rows)
        dhidden = (dout @ w2.T) * (1 - hidden * hidden)
        gradients = {"dense_1.w": x.T @ dhidden, "dense_2.w": hidden.T @ dout}
        norm = float(np.sqrt(sum(float(np.sum(g * g)) for g in gradients.values())))
        for name, gradient in gradients.items():
            m, v = self.values[f"slot/adam.m/{name}"], self.values[f"slot/adam.v/{name}"]
            m += 0.1 * (gradient - m)
            v += 0.001 * (gradient * gradient - v)
            mean, square = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.999 ** (step + 1))
            self.values[f"param/{name}"] -= rate * mean / (np.sqrt(square) + 1e-8)
        return float(losses.mean()), norm

    @staticmethod
    def _loss(logits, labels):
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        outputs = exponentials / exponentials.sum(axis=1, keepdims=True)
        return outputs, -np.log(outputs[np.arange(len(labels)), labels])

    def evaluate(self, split, rows) -> Measured:
        rows = np.arange(len(self.labels[split])) if rows is None else rows
        w1, w2 = (self.values[f"param/{name}"] for name in self.names)
        logits = np.tanh(self.inputs[split][rows] @ w1) @ w2
        _, losses = self._loss(logits, self.labels[split][rows])
        mean = float(losses.mean())
        terms = ((1.0, mean, float(len(losses))),)
        return Measured({"dense_2": logits}, {"dense_2": losses}, mean, terms)

    def locate_nonfinite(self, order, start, first_step, rate) -> str:
        return "dense_1.dw"

    def penalty(self) -> float:
        return 0.0

    def tensors(self):
        return {name: value.copy() for name, value in self.values.items()}

    def restore(self, tensors) -> None:
        self.values = {name: np.array(value) for name, value in tensors.items()}


def problem(seed: int = 0, train: int = 50, validation: int = 12, test: int = 12):
    """Return {split: inputs}, {split: labels} of three overlapping clouds."""
    inputs, labels = {}, {}
    sizes = {"train": train, "validation": validation, "test": test}
    for i, (split, n) in enumerate(sizes.items()):
        stream = generator(seed, Purpose.GENERATE, i)
        labels[split] = np.arange(n) % 3
        centers = np.array([[0.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
        inputs[split] = centers[labels[split]] + stream.normal(size=(n, 2))
    return inputs, labels


def make_job(plan: FakePlan, **changes):
    """Return a Job on a FakePlan; 5 epochs unless rules say otherwise."""
    from nnctl.train.job import Job
    from nnctl.train.stopping import Epochs

    def measure(split, outputs):
        hits = outputs["dense_2"].argmax(axis=1) == plan.labels[split]
        return {"accuracy": float(hits.mean())}

    samples = len(plan.labels["train"])
    settings = {
        "plan": plan,
        "splits": {split: len(labels) for split, labels in plan.labels.items()},
        "batch_size": plan.batch,
        "order": lambda epoch: permutation(0, Purpose.SHUFFLE, samples, epoch),
        "rates": lambda first, count: 0.05 / (1 + 0.01 * np.arange(first, first + count)),
        "measure": measure,
        "rules": [Epochs(5)],
    }
    return Job(**{**settings, **changes})
