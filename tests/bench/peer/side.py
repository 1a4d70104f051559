"""The peer's side: the same work with torch, resident tensors and a Python loop over steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.bench.peer.network import Network
from tests.bench.peer.training import loss_function, optimizer, target_tensor
from tests.bench.work import Work


class Peer:
    """A torch network at the first parameters of ``work``, with the training part resident.

    ``form``: "" as it is, "compiled" by torch (it needs a C++ compiler), or "channels_last", the
    other memory format of images.
    """

    def __init__(self, work: Work, threads: int, form: str = "") -> None:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(True)  # as our engine: Adam's second moment turns denormal
        self.work, self.form = work, form
        self.name = f"torch {torch.__version__.split('+')[0]}" + (f" {form}" if form else "")
        self.net = Network(work.network, work.parameters, form == "channels_last")
        self.loss = loss_function(work.network)
        self.optimizer = optimizer(work.network, self.net)
        self.forward: Callable[..., tuple[Tensor, ...]] = (
            torch.compile(self.net, dynamic=False) if form == "compiled" else self.net.forward
        )
        self.inputs = [self.net.as_input(work.inputs[n]) for n in work.network["inputs"]]
        widths = {node["name"]: int(np.prod(node["shape"])) for node in work.network["nodes"]}
        self.targets = {
            loss["target"]: target_tensor(
                work.targets[loss["target"]], loss, widths[loss["output"]]
            )
            for loss in work.network["losses"]
        }
        self.batches = self._batches(work.batch)
        self.eval_batches = self._batches(work.eval_batch)
        self.rows = torch.split(torch.as_tensor(work.orders[0]), 1)
        self.step = self.row = 0

    def _batches(self, size: int) -> list[Tensor]:
        """The rows of every batch of every epoch; one epoch is whole batches."""
        order = torch.as_tensor(self.work.orders).reshape(-1)
        return [rows for rows in torch.split(order, size) if len(rows) == size]

    def _step(self) -> Tensor:
        rows = self.batches[self.step % len(self.batches)]
        self.step += 1
        return self._learn(rows)

    def _learn(self, rows: Tensor) -> Tensor:
        inputs = [x.index_select(0, rows) for x in self.inputs]
        targets = {name: t.index_select(0, rows) for name, t in self.targets.items()}
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.forward(*inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss

    def train(self, steps: int) -> None:
        """Train for some steps."""
        for _ in range(steps):
            self._step()

    def train_epoch(self, order: np.ndarray, rates: np.ndarray) -> None:
        """Train on all rows in an order, the last batch with what is left; a rate for each step."""
        batches = torch.split(torch.as_tensor(order), self.work.batch)
        for rows, rate in zip(batches, rates.tolist(), strict=True):
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self._learn(rows)

    @torch.inference_mode()
    def outputs(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """Compute the outputs of other samples than those of training, in evaluation mode."""
        return [y.numpy() for y in self.net(*map(self.net.as_input, inputs))]

    def losses(self, steps: int) -> np.ndarray:
        """Train for some steps; returns the loss of each before its update, float64."""
        return np.array([self._step().item() for _ in range(steps)])

    @torch.inference_mode()
    def infer(self, batches: int) -> Any:
        """Compute the outputs of some batches; returns the last."""
        outputs = None
        for k in range(batches):
            rows = self.eval_batches[k % len(self.eval_batches)]
            outputs = self.forward(*[x.index_select(0, rows) for x in self.inputs])
        return outputs

    @torch.inference_mode()
    def one(self, samples: int) -> Any:
        """Compute the outputs of some samples, a call each; returns the last."""
        outputs = None
        for _ in range(samples):
            self.row = (self.row + 1) % len(self.rows)
            outputs = self.forward(*[x.index_select(0, self.rows[self.row]) for x in self.inputs])
        return outputs

    @torch.inference_mode()
    def decode(self, symbols: int) -> np.ndarray:
        """Say some symbols, the likeliest each, from the symbol 0 on; returns them."""
        step, said = self.net.stepper(), []
        token = torch.zeros(1, dtype=torch.long)
        for _ in range(symbols):
            token = step(token).argmax(1)
            said.append(token)
        return torch.cat(said).numpy()

    @torch.inference_mode()
    def evaluate(self) -> float:
        """Return the mean loss of the training part in evaluation mode."""
        return float(self.loss(self.net(*self.inputs), self.targets))
