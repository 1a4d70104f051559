"""Our side: a spec through the shipped path, and the plan driven as training drives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.bench.draw import draw
from tests.bench.work import Work, orders, work_of
from tests.bench.workloads import SPECS

if TYPE_CHECKING:
    from nnctl.plan import Plan
    from nnctl.plan.stepper import Stepper
    from nnctl.run.prepare import Prepared
    from nnctl.spec import Spec

DATA = "bench"  # the resident split without targets, for inference


def read(workload: str, overrides: Sequence[str] = (), seed: int = 0, specs: Path = SPECS) -> Spec:
    """Load a workload's spec: its file, or what the seed draws."""
    from nnctl.spec import load_spec

    family = workload.removeprefix("random_")
    if family == workload:
        return load_spec(specs / f"{workload}.toml", overrides)
    return load_spec(specs / f"{workload}.toml", overrides, text=draw(family, seed))


class Ours:
    """A compiled plan at its first parameters, with the training part resident."""

    def __init__(self, spec: Spec, threads: int) -> None:
        from nnctl.init import initialize
        from nnctl.optim.schedules import rates
        from nnctl.run.prepare import prepare

        size = spec.training.batch_size  # inference of a batch is of the workload's own
        at_once = size if isinstance(size, int) else None
        self.prepared: Prepared = prepare(spec, threads, at_once)
        self.plan = self.prepared.plan
        self.parameters = initialize(self.prepared.graph, spec.training.seed)
        self.orders = orders(self.prepared)
        self.batch = self.prepared.batch_size
        self.steps = self.orders.shape[1] // self.batch  # in an epoch
        count = self.orders.shape[0] * self.steps
        self.rates = rates(spec.schedule, spec.optimizer, 0, count, self.steps)
        self.stepper: Stepper | None = None
        self.plan.attach(DATA, self.prepared.parts["train"].inputs)
        self.reset()

    def reset(self) -> None:
        """Go back to the first parameters and the first step."""
        self.plan.restore({f"param/{name}": v for name, v in self.parameters.items()})
        self.step = self.row = 0

    def work(self) -> Work:
        """Return what the peer needs to do the same."""
        return work_of(self.prepared, self.parameters)

    def losses(self, steps: int) -> np.ndarray:
        """Train for some steps; returns the loss of each before its update, float64."""
        return np.concatenate([log.losses for log in self._calls(steps)])

    def evaluate(self) -> float:
        """Return the mean loss of the training part in evaluation mode."""
        return self.plan.evaluate("train").loss

    def train(self, steps: int) -> None:
        """Train for some steps, at most an epoch in a call."""
        for _ in self._calls(steps):
            pass

    def _calls(self, steps: int):  # type: ignore[no-untyped-def]
        while steps:
            epoch, first = divmod(self.step % len(self.rates), self.steps)
            count = min(steps, self.steps - first)
            rates = self.rates[epoch * self.steps + first :][:count]
            log = self.plan.train(self.orders[epoch], first * self.batch, self.step, rates)
            if log.done != count:
                raise ArithmeticError(f"step {self.step + log.done} is not finite")
            self.step, steps = self.step + count, steps - count
            yield log

    def infer(self, batches: int) -> None:
        """Compute the outputs of some batches, in one call."""
        rows = np.resize(self.orders[0], batches * self.plan.eval_batch)
        self.plan.evaluate(DATA, rows)

    def one(self, samples: int) -> None:
        """Compute the outputs of some samples, a call each."""
        for _ in range(samples):
            self.row = (self.row + 1) % self.orders.shape[1]
            self.plan.evaluate(DATA, self.orders[0, self.row : self.row + 1])

    def decode(self, symbols: int) -> np.ndarray:
        """Say some symbols, the likeliest each, from the symbol 0 on; returns them."""
        if self.stepper is None:
            self.stepper = _stepper(self.plan)
        self.stepper.begin(np.zeros((1, 1), dtype=np.int64), {}, {}, {})
        said = np.full((symbols + 1, 1), -1)
        said[0] = 0
        self.stepper.speak(said, 0, symbols)
        return said[1:, 0]

    def close(self) -> None:
        """End the threads."""
        self.plan.close()
        if self.stepper is not None:
            self.stepper.close()


def _stepper(plan: Plan) -> Stepper:
    """The network of one step of one sequence."""
    from nnctl.graph.stepping import one_step
    from nnctl.plan.stepper import Stepper

    return Stepper(one_step(plan.given, "", plan.given.outputs, 1), plan, 1)
