"""A compiled network: the tapes over one arena, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnctl.engine import control
from nnctl.engine.tape import run
from nnctl.engine.threads import Pool
from nnctl.errors import CheckpointError, Problem
from nnctl.graph.graph import Graph
from nnctl.optim.registry import Rule
from nnctl.plan.layout import Zone
from nnctl.plan.memory import Memory
from nnctl.plan.tape import Tape
from nnctl.plan.tapes import Tapes

SHORT_CALL = 2_000.0  # microseconds; shorter calls are not worth waking other threads
SINGLE_STEP = 20.0  # microseconds; below this a barrier costs more than a second thread brings
SNAPSHOT_EVERY = 1 << 31  # bytes of state copied at most once for so much work


@dataclass(frozen=True)
class StepLog:
    """What a call of ``train`` did. ``losses[i]`` is the mean data loss of batch i."""

    done: int
    losses: np.ndarray
    gradient_norms: np.ndarray
    nonfinite: bool


@dataclass(frozen=True)
class Evaluation:
    """Outputs in evaluation mode, in original units, and the loss of every sample.

    ``loss`` is the weighted sum of the mean losses (of standardized targets, where the data
    standardize them).
    """

    outputs: dict[str, np.ndarray]
    losses: dict[str, np.ndarray]
    loss: float


@dataclass
class _Call:
    """A call of train since the last snapshot, to be run again if a later one fails."""

    order: np.ndarray
    start: int
    first_step: int
    rates: np.ndarray


@dataclass
class _Split:
    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    count: int


@dataclass
class Plan:
    """A network ready to run. Made by ``compile_plan``."""

    graph: Graph
    memory: Memory
    tapes: Tapes
    zone: Zone
    rule: Rule | None
    optimizer: Any
    batch: int
    eval_batch: int
    dtype: str
    seed: int
    threads: int
    target_scalers: Mapping[str, tuple[np.ndarray, np.ndarray] | None]
    splits: dict[str, _Split] = field(default_factory=dict)
    _journal: list[_Call] = field(default_factory=list)
    _snapshot: np.ndarray | None = None
    _pool: Pool | None = None

    # -- tensors -------------------------------------------------------------------------------

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their own shapes, e.g. ``dense_1.w`` (in, out)."""
        return self._unpack(self.memory.zone("p"))

    def tensors(self) -> dict[str, np.ndarray]:
        """Return all that resume needs: ``param/NAME`` and ``slot/RULE.SLOT/NAME``."""
        found = {f"param/{n}": v for n, v in self.parameters().items()}
        for slot in self._slots():
            values = self._unpack(self.memory.zone(slot))
            found |= {f"slot/{self.optimizer.type}.{slot}/{n}": v for n, v in values.items()}
        return found

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Load what ``tensors`` returned (slots may be left out: they start at zero).

        Raises CheckpointError that names every tensor that is missing or has another shape.
        """
        problems = [p for n in self.zone.layouts if (p := self._misfit(f"param/{n}", n, tensors))]
        wanted = {"p": "param/"}
        for slot in self._slots():
            prefix = f"slot/{self.optimizer.type}.{slot}/"
            if any(name.startswith(prefix) for name in tensors):
                wanted[slot] = prefix
                names = self.zone.layouts
                problems += [p for n in names if (p := self._misfit(prefix + n, n, tensors))]
            else:
                self.memory.zone(slot)[:] = 0
        if problems:
            raise CheckpointError(problems)
        for zone, prefix in wanted.items():
            held = self.memory.zone(zone)
            for name, layout in self.zone.layouts.items():
                layout.pack(np.asarray(tensors[prefix + name]), self.zone.part(name, held))
        self._forget()

    def _misfit(self, key: str, name: str, tensors: Mapping[str, np.ndarray]) -> Problem | None:
        shape = self.zone.layouts[name].shape
        if key not in tensors:
            return Problem(f"tensor {key!r} is missing", "the file is of another network")
        if tuple(tensors[key].shape) != tuple(shape):
            return Problem(
                f"tensor {key!r} has shape {tuple(tensors[key].shape)}, the network needs {shape}",
                "the file is of another network",
            )
        return None

    def _slots(self) -> tuple[str, ...]:
        return self.rule.slots if self.rule is not None else ()

    def _unpack(self, zone: np.ndarray) -> dict[str, np.ndarray]:
        return {n: lay.unpack(self.zone.part(n, zone)) for n, lay in self.zone.layouts.items()}

    # -- data ----------------------------------------------------------------------------------

    def attach(
        self,
        split: str,
        inputs: Mapping[str, np.ndarray],
        targets: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Make a split resident: arrays are kept by reference where their layout allows.

        ``inputs`` by name ("" for the only one), (N, ...); ``targets`` by target name: int64
        labels (N,) or numbers (N, width).
        """
        held = {n: self.tapes.as_source(n, a) for n, a in inputs.items()}
        count = len(next(iter(held.values())))
        wanted = {} if targets is None else self.tapes.as_targets(targets)
        self.splits[split] = _Split(held, wanted, count)

    def _use(self, split: str) -> _Split:
        data = self.splits[split]
        for name, array in data.inputs.items():
            self.memory.set_place(f"input.{name}", array)
        for name, array in data.targets.items():
            self.memory.set_place(f"target.{name}", array)
        return data

    # -- training ------------------------------------------------------------------------------

    def train(
        self, order: np.ndarray, start: int, first_step: int, rates: np.ndarray
    ) -> StepLog:
        """Run ``len(rates)`` steps on consecutive batches of ``order`` from row ``start``.

        ``first_step`` is the global number of the first one, ``rates`` the learning rate of each.
        The last batch of the order may be partial. When a loss or a parameter is not finite, the
        state goes back to just before that step, and ``done`` counts the steps before it.
        """
        if self._snapshot is None:
            self._take_snapshot()
        call = _Call(order, start, first_step, np.asarray(rates, dtype=np.float64))
        log = self._steps(call, len(rates))
        if log.nonfinite:
            self._roll_back(call, log.done)
            return log
        self._journal.append(call)
        if len(self._journal) >= self._snapshot_calls():
            self._take_snapshot()
        return log

    def _snapshot_calls(self) -> int:
        """A large state is copied more rarely: a copy must stay small beside the calls' work."""
        state = self.memory.state().nbytes
        return 8 + state // (1 << 20)

    def _steps(self, call: _Call, count: int) -> StepLog:
        self._use("train")
        tape = self.tapes.train()
        starts = call.start + self.batch * np.arange(count, dtype=np.int64)
        live = np.minimum(self.batch, len(call.order) - starts)
        losses, norms = np.zeros(count), np.zeros(count)
        table = self.tapes.rate_table(self.optimizer, call.first_step, call.rates[:count])
        self.memory.set_word(control.RATES, table.ctypes.data)
        self.memory.set_word(control.RATES_WIDTH, table.shape[1])
        self.memory.set_word(control.NORMS, norms.ctypes.data)
        failed = self._run(tape, call.order, starts, live, losses, call.first_step)
        done = self.memory.word(control.INDEX) if failed else count
        return StepLog(done, losses[:done], norms[:done], failed)

    def _run(
        self,
        tape: Tape,
        order: np.ndarray,
        starts: np.ndarray,
        live: np.ndarray,
        losses: np.ndarray,
        first_step: int = 0,
    ) -> bool:
        """Run one step of ``tape`` for each start; say whether a number was not finite."""
        order = np.ascontiguousarray(order, dtype=np.int64)
        steps = np.stack([starts, live], axis=1).astype(np.int64)
        for word, value in (
            (control.ORDER, order.ctypes.data),
            (control.STEPS, steps.ctypes.data),
            (control.LOSSES, losses.ctypes.data),
            (control.INDEX, -1),
            (control.STEP, first_step - 1),
            (control.FAILED, 0),
            (control.SEED, self.seed),
        ):
            self.memory.set_word(word, value)
        self._go(tape, len(steps))
        return bool(self.memory.word(control.FAILED))

    def _go(self, tape: Tape, steps: int) -> None:
        base, work = self.memory.address, tape.work
        self.memory.set_word(control.SCRATCH, tape.scratch)
        self.memory.set_word(control.SCRATCH_STRIDE, tape.scratch_stride)
        if self.threads == 1 or work < SINGLE_STEP:
            if work * steps < SHORT_CALL:
                run(base, tape.address, steps, 0, 1)
            else:
                self._threads().run(
                    lambda slot: run(base, tape.address, steps, 0, 1) if slot == 0 else None
                )
            return
        threads = self.threads
        self.memory.set_word(control.ARRIVED, 0)
        self.memory.set_word(control.NEXT_TASK, 0)
        self._threads().run(lambda slot: run(base, tape.address, steps, slot, threads))

    def _threads(self) -> Pool:
        if self._pool is None:
            self._pool = Pool(self.threads)
        return self._pool

    # -- going back ----------------------------------------------------------------------------

    def _take_snapshot(self) -> None:
        self._snapshot = self.memory.state().copy()
        self._journal.clear()

    def _forget(self) -> None:
        self._snapshot = None
        self._journal.clear()

    def _roll_back(self, failed: _Call, done: int) -> None:
        """Return to the state before the step that failed, by running the good ones again."""
        if self._snapshot is None:
            return
        self.memory.state()[:] = self._snapshot
        for call in self._journal:
            self._steps(call, len(call.rates))
        if done:
            self._steps(failed, done)
        self._take_snapshot()

    def locate_nonfinite(
        self, order: np.ndarray, start: int, first_step: int, rate: float
    ) -> str:
        """Run one step call by call; name the first array that is not finite, e.g. ``dense_2.dw``.

        The state is as before afterwards.
        """
        from nnctl.plan.inspect import first_nonfinite

        saved = self.memory.state().copy()
        name = first_nonfinite(self, order, start, first_step, rate)
        self.memory.state()[:] = saved
        return name

    # -- evaluation ----------------------------------------------------------------------------

    def evaluate(self, split: str, rows: np.ndarray | None = None) -> Evaluation:
        """Run the forward pass on a split (or some of its rows) in evaluation mode."""
        data = self._use(split)
        order = np.arange(data.count) if rows is None else np.asarray(rows)
        has_targets = bool(data.targets)
        tape = self.tapes.evaluation(losses=has_targets)
        outputs = {n: self._room(f"output.{n}", len(order), n) for n in self.graph.outputs}
        losses = {}
        if has_targets:
            for loss in self.graph.losses:
                losses[loss.output] = np.zeros(len(order))
                self.memory.set_place(f"losses.{loss.output}", losses[loss.output])
        self._sweep(tape, order)
        means = {name: float(_tree_mean(values)) for name, values in losses.items()}
        total = sum(loss.weight * means[loss.output] for loss in self.graph.losses if means)
        return Evaluation(
            {n: self._original_units(n, a) for n, a in outputs.items()},
            losses,
            total if means else float("nan"),
        )

    def features(self, split: str, rows: np.ndarray | None, layer: str) -> np.ndarray:
        """Return the outputs (n, *shape) of a layer, or of a node, in evaluation mode."""
        data = self._use(split)
        order = np.arange(data.count) if rows is None else np.asarray(rows)
        node = self.tapes.last_node(layer)
        tape = self.tapes.features(node)
        out = self._room(f"features.{node}", len(order), node)
        self._sweep(tape, order)
        return out.reshape(len(order), *self.graph.node(node).shape)

    def _sweep(self, tape: Tape, order: np.ndarray) -> None:
        starts = np.arange(0, len(order), tape.capacity)
        live = np.minimum(tape.capacity, len(order) - starts)
        self._run(tape, order, starts, live, np.zeros(len(starts)))

    def _room(self, place: str, count: int, node: str) -> np.ndarray:
        out = np.zeros((count, self.graph.node(node).size), dtype=self.dtype)
        self.memory.set_place(place, out)
        return out

    def _original_units(self, output: str, values: np.ndarray) -> np.ndarray:
        for loss in self.graph.losses:
            scaler = self.target_scalers.get(loss.target)
            if loss.output in (output, f"{output}.split") and scaler is not None:
                mean, scale = scaler
                return values.astype(np.float64) / scale + mean
        return values

    # -- looking inside ------------------------------------------------------------------------

    def loss(self, split: str, rows: np.ndarray, step: int = 0) -> float:
        """Return the mean loss of some rows in training mode, without moving a parameter."""
        return self._probe(split, rows, step)

    def gradients(
        self, split: str, rows: np.ndarray, step: int = 0
    ) -> tuple[float, dict[str, np.ndarray]]:
        """Return the mean loss of some rows (at most a batch) and its gradients by parameter."""
        value = self._probe(split, rows, step)
        return value, self._unpack(self.memory.zone("g"))

    def _probe(self, split: str, rows: np.ndarray, step: int) -> float:
        if len(rows) > self.batch:
            raise ValueError(f"{len(rows)} rows, the plan's batch is {self.batch}")
        self._use(split)
        losses = np.zeros(1)
        self._run(
            self.tapes.probe(), np.asarray(rows), np.array([0]), np.array([len(rows)]), losses, step
        )
        return float(losses[0])

    def trace(self, split: str, row: int) -> list[tuple[str, dict[str, np.ndarray]]]:
        """Return signals, outputs, deltas and gradients of one sample, node by node."""
        from nnctl.plan.inspect import trace

        return trace(self, split, row)

    def penalty(self) -> float:
        """Return l1 * sum |w| + l2 / 2 * sum w^2 over the parameters that are regularized."""
        total = 0.0
        for name, values in self.parameters().items():
            one = self.graph.parameters[name]
            wide = values.astype(np.float64)
            total += one.l1 * float(np.abs(wide).sum()) + one.l2 / 2 * float((wide * wide).sum())
        return total

    @property
    def compile_seconds(self) -> float:
        """Seconds spent so far on building tapes and compiling what no cache held."""
        return self.tapes.seconds

    def prepare(self, train: bool = True) -> None:
        """Build the tapes of training and evaluation now, not at their first use."""
        if train and self.rule is not None:
            self.tapes.train()
        self.tapes.evaluation(losses=bool(next(iter(self.splits.values())).targets))

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None


def _tree_mean(values: np.ndarray) -> float:
    """Mean in double precision: four equal parts in order, then their tree."""
    quarter = -(-len(values) // 4)
    parts = [float(np.add.reduce(values[q * quarter : (q + 1) * quarter])) for q in range(4)]
    return ((parts[0] + parts[1]) + (parts[2] + parts[3])) / max(len(values), 1)
