"""A compiled network: the tapes over one arena, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnctl.graph.graph import SPLIT, Graph, small_batch
from nnctl.ops.recurrent_columns import FEW
from nnctl.optim.registry import Rule
from nnctl.plan.carried import Carried
from nnctl.plan.evaluation import Evaluation, per_sample, term
from nnctl.plan.feeding import fed
from nnctl.plan.history import Call, History
from nnctl.plan.inspect import first_nonfinite, trace
from nnctl.plan.layout import Zone
from nnctl.plan.memory import Memory
from nnctl.plan.parts import Part
from nnctl.plan.runner import Runner
from nnctl.plan.tape import Tape
from nnctl.plan.tapes import Tapes
from nnctl.plan.values import Values

Scaling = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class StepLog:
    """What a call of ``train`` did. ``losses[i]`` is the mean data loss of batch i."""

    done: int
    losses: np.ndarray
    gradient_norms: np.ndarray
    nonfinite: bool


class Plan:
    """A network ready to run. Made by ``compile_plan``; ``close`` ends its threads."""

    def __init__(
        self,
        graph: Graph,
        memory: Memory,
        tapes: Tapes,
        zone: Zone,
        kept: Zone,
        rule: Rule | None,
        optimizer: Any,
        seed: int,
        target_scalers: Mapping[str, Scaling | None],
    ) -> None:
        self.graph, self.memory, self.tapes, self.zone = graph, memory, tapes, zone
        self.rule, self.optimizer, self.seed = rule, optimizer, seed
        self.batch, self.eval_batch, self.dtype = tapes.batch, tapes.eval_batch, tapes.dtype
        self.target_scalers = target_scalers
        self.scalings: dict[str, Scaling | None] = {}  # of inputs, as they were given
        self.given = graph  # before any pass
        self.splits: dict[str, Part] = {}
        slots = rule.slots if rule is not None else ()
        passing = tapes.resident.passing.values()
        self.carried = Carried(graph.carried, kept, memory, passing)
        prefixes = {s: f"slot/{optimizer.type}.{s}" for s in slots}
        self.values = Values(zone, memory, prefixes, kept, graph.states)
        self.runner = Runner(memory, tapes.threads, seed)
        self._history = History(memory.state, self._steps)

    @property
    def threads(self) -> int:
        return self.tapes.threads

    @property
    def compile_seconds(self) -> float:
        """Seconds spent so far on building tapes and compiling what no cache held."""
        return self.tapes.seconds

    # -- tensors -------------------------------------------------------------------------------

    def parameters(self) -> dict[str, np.ndarray]:
        """Return copies of all parameters in their own shapes, e.g. ``dense_1.w`` (in, out)."""
        return self.values.read("p")

    def tensors(self) -> dict[str, np.ndarray]:
        """Return all that resume needs: ``param/NAME``, ``slot/RULE.SLOT/NAME``, ``state/NAME``."""
        return self.values.tensors()

    def restore(self, tensors: Mapping[str, np.ndarray]) -> None:
        """Load what ``tensors`` returned. Raises CheckpointError if it is of another network."""
        self.values.restore(tensors)
        self._history.forget()
        self.carried.forget()

    # -- data ----------------------------------------------------------------------------------

    def attach(
        self,
        split: str,
        inputs: Mapping[str, np.ndarray],
        targets: Mapping[str, np.ndarray] | None = None,
        lengths: Mapping[str, np.ndarray] | None = None,
        said: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Make a split resident: arrays are kept by reference where their layout allows.

        ``inputs`` by name ("" for the only one), (N, ...); ``targets`` by target name: int64
        labels (N,) or numbers (N, width), over steps (N, steps) or (N, steps, width).
        ``lengths`` by input name: int64 (N,), steps that count. ``said`` is like targets over
        steps: it is fed to layers that read their own outputs, in place of the targets.
        """
        means = {name: pair[0] for name, pair in self.target_scalers.items() if pair is not None}
        count = len(next(iter(inputs.values())))
        more, ends, last = fed(self.graph.fed, said or targets or {}, count, means)
        held = {n: self.tapes.as_source(n, a) for n, a in {**inputs, **more}.items()}
        wanted = {} if targets is None else self.tapes.as_targets({**targets, **last})
        measured = self.tapes.as_lengths({**(lengths or {}), **ends})
        counts = {len(a) for a in (*held.values(), *wanted.values(), *measured.values())}
        if len(counts) != 1:
            raise ValueError(f"the arrays of {split!r} have {sorted(counts)} samples")
        steps = self.tapes.counts(wanted)
        self.splits[split] = Part(held, wanted, measured, steps, counts.pop())
        self.carried.forget()
        if split == "train":
            self._history.forget()  # its steps cannot be run again on other data

    def use(self, split: str, labeled: bool = False) -> Part:
        """Point the tapes at a split; ``labeled``: the tape to run reads targets, too."""
        data = self.splits[split]
        if labeled and self.graph.losses and not data.targets:
            raise ValueError(f"the split {split!r} has no targets")
        for place, array in data.places():
            self.memory.set_place(place, array)
        return data

    def prepare(self, train: bool = True) -> None:
        """Build the tapes of training and evaluation now, not at their first use."""
        if train and self.rule is not None:
            self.tapes.train()
        self.tapes.evaluation(losses=any(data.targets for data in self.splits.values()))

    # -- training ------------------------------------------------------------------------------

    def train(self, order: np.ndarray, start: int, first_step: int, rates: np.ndarray) -> StepLog:
        """Run ``len(rates)`` steps on consecutive batches of ``order`` from row ``start``.

        ``first_step`` is the global number of the first one, ``rates`` the learning rate of each.
        The last batch of the order may be partial. When a loss or a parameter is not finite, the
        state goes back to just before that step, and ``done`` counts the steps before it.
        """
        call = Call(order, start, first_step, np.asarray(rates, dtype=np.float64))
        self._history.begin()
        log = self._steps(call, len(rates))
        if log.nonfinite:
            self._history.go_back(call, log.done)
        else:
            self._history.add(call)
        return log

    def _steps(self, call: Call, count: int) -> StepLog:
        data = self.use("train", labeled=True)
        starts = call.start + self.batch * np.arange(count, dtype=np.int64)
        live = np.minimum(self.batch, len(call.order) - starts)
        if count and (call.start < 0 or live[-1] < 1):
            raise IndexError(f"{count} steps from row {call.start}, of {len(call.order)} rows")
        self._refuse_few(int(live.min(initial=self.batch)))
        data.rows(call.order[call.start : starts[-1] + self.batch] if count else None)
        losses, norms = np.zeros(count), np.zeros(count)
        self.carried.begin(call.start)
        table = self.tapes.rate_table(call.first_step, call.rates[:count])
        self.runner.set_rates(table)
        failed = self.runner.run(
            self.tapes.train(), call.order, starts, live, losses, norms, call.first_step
        )
        done = self.runner.index if failed else count
        return StepLog(done, losses[:done], norms[:done], failed)

    def _refuse_few(self, live: int) -> None:
        for node in self.graph.nodes:
            if live < node.least_batch:
                raise ValueError(small_batch(node, live)[0])

    def locate_nonfinite(self, order: np.ndarray, start: int, first_step: int, rate: float) -> str:
        """Run one step call by call; name the first array that is not finite, e.g. ``dense_2.y``.

        The state is as before afterwards.
        """
        saved = self.memory.state().copy()
        name = first_nonfinite(self, order, start, first_step, rate)
        self.memory.state()[:] = saved
        return name

    # -- evaluation ----------------------------------------------------------------------------

    def evaluate(self, split: str, rows: np.ndarray | None = None) -> Evaluation:
        """Run the forward pass on a split (or some of its rows) in evaluation mode.

        Where states go on from batch to batch, rows that follow each other are one stream, which
        begins from zeros unless the call before ended with the row before.
        """
        order = self.use(split).rows(rows)
        data = self.splits[split]
        outputs = {n: self._room(f"output.{n}", len(order), n) for n in self.graph.outputs}
        losses = {}
        for loss in self.graph.losses if data.targets else ():
            losses[loss.output] = np.zeros(len(order))
            self.memory.set_place(f"losses.{loss.output}", losses[loss.output])
        tape = self.tapes.evaluation(losses=bool(data.targets), few=len(order) <= FEW)
        self._sweep(tape, split, order)
        counts = {n: a[order] for n, a in data.counts.items()}
        terms = tuple(
            term(loss.weight, losses[loss.output], counts.get(loss.output))
            for loss in self.graph.losses
            if losses
        )
        return Evaluation(
            {n: self.in_units(n, a) for n, a in outputs.items()},
            {n.removesuffix(f".{SPLIT}"): a for n, a in per_sample(losses, counts).items()},
            sum(one.weight * one.mean for one in terms) if losses else float("nan"),
            terms,
        )

    def features(self, split: str, rows: np.ndarray | None, layer: str) -> np.ndarray:
        """Return the outputs (n, *shape) of a layer, or of a node, in evaluation mode."""
        order = self.use(split).rows(rows)
        node = self.tapes.last_node(layer)
        out = self._room(f"features.{node}", len(order), node)
        self._sweep(self.tapes.features(node), split, order)
        return out.reshape(len(order), *self.graph.node(node).shape)

    def _sweep(self, tape: Tape, split: str, order: np.ndarray) -> None:
        for first, end in self.carried.runs((tape, split), order) if len(order) else ():
            starts = np.arange(first, end, tape.capacity)
            live = np.minimum(tape.capacity, end - starts)
            self.runner.run(tape, order, starts, live, np.zeros(len(starts)))

    def _room(self, place: str, count: int, node: str) -> np.ndarray:
        out = np.zeros((count, self.graph.node(node).size), dtype=self.dtype)
        self.memory.set_place(place, out)
        return out

    def in_units(self, output: str, values: np.ndarray) -> np.ndarray:
        """Return outputs (N, ...), of this network or one like it, in their target's units."""
        for loss in self.graph.losses:
            scaler = self.target_scalers.get(loss.target)
            if loss.output in (output, f"{output}.{SPLIT}") and scaler is not None:
                mean, scale = (np.resize(part, values.shape[1]) for part in scaler)
                restored: np.ndarray = values.astype(np.float64) / scale + mean
                return restored
        return values

    # -- looking inside ------------------------------------------------------------------------

    def loss(self, split: str, rows: np.ndarray, step: int = 0) -> float:
        """Return the mean loss of some rows in training mode, without moving a parameter."""
        if len(rows) > self.batch:
            raise ValueError(f"{len(rows)} rows, the plan's batch is {self.batch}")
        rows = self.use(split, labeled=True).rows(rows)
        self._refuse_few(len(rows))
        losses, live = np.zeros(1), np.array([len(rows)])
        with self.carried.from_zeros():
            self.runner.run(self.tapes.probe(), rows, np.zeros(1), live, losses, first_step=step)
        return float(losses[0])

    def gradients(
        self, split: str, rows: np.ndarray, step: int = 0
    ) -> tuple[float, dict[str, np.ndarray]]:
        """Return the mean loss of some rows (at most a batch) and its gradients by parameter.

        Penalties are in the gradients and not in the loss, as in a step.
        """
        return self.loss(split, rows, step), self.values.read("g")

    def trace(self, split: str, row: int) -> list[tuple[str, dict[str, np.ndarray]]]:
        """Return signals, outputs, deltas and gradients of one sample, node by node."""
        self.splits[split].rows(np.array([row]))
        return trace(self, split, row)

    def penalty(self) -> float:
        """Return l1 * sum |w| + l2 / 2 * sum w^2 over the parameters that are regularized."""
        total = 0.0
        for name, values in self.parameters().items():
            one = self.graph.parameters[name]
            wide = values.astype(np.float64)
            total += one.l1 * float(np.abs(wide).sum()) + one.l2 / 2 * float((wide * wide).sum())
        return total

    def close(self) -> None:
        """End the threads."""
        self.runner.close()
