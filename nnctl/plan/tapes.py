"""The tapes of a plan, each built when it is first wanted and the data's types are known."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from nnctl.engine import cpu
from nnctl.engine.arena import Arena
from nnctl.engine.kernel import Sizes, Split
from nnctl.graph.autodiff import backward_order
from nnctl.graph.graph import Graph
from nnctl.ops import batch as ends
from nnctl.ops import choose
from nnctl.ops.recurrent_columns import FEW
from nnctl.ops.registry import Call, find_loss
from nnctl.optim.registry import Rule
from nnctl.plan.binding import flat_step
from nnctl.plan.buffers import Buffer, Maker
from nnctl.plan.layout import Zone
from nnctl.plan.lower import Lowering
from nnctl.plan.memory import Memory
from nnctl.plan.resident import Resident
from nnctl.plan.settled import settle, settled_tape
from nnctl.plan.steps import Flat, Step
from nnctl.plan.tape import Draft, Tape
from nnctl.plan.targets import as_read, counted, kind_of, table

LETTERS = {"float32": "s", "float64": "d", "uint8": "u", "int64": "i"}


@dataclass
class Tapes:
    """Makes tapes; ``batch`` and ``eval_batch`` are the capacities of training and evaluation."""

    graph: Graph
    lean: Graph  # the same for tapes that keep no array for anyone to look at
    memory: Memory
    zone: Zone
    resident: Resident
    rule: Rule | None
    optimizer: Any
    batch: int
    eval_batch: int
    dtype: str
    threads: int
    wants_norm: bool
    seconds: float = 0.0
    _made: dict[str, Tape] = field(default_factory=dict)
    _room: Arena | None = None

    # -- what the data are -----------------------------------------------------------------------

    def as_source(self, name: str, array: np.ndarray) -> np.ndarray:
        """Return an input as C-ordered rows of a type that the gather op reads."""
        kind = array.dtype.name if array.dtype.name in LETTERS else "float64"
        letter = LETTERS[kind]
        known = self.resident.source_types.setdefault(name, letter)  # type: ignore[attr-defined]
        if known != letter:
            wanted = {v: k for k, v in LETTERS.items()}[known]
            raise ValueError(f"input {name!r} is {kind} here and {wanted} in another split")
        width = prod(self.graph.inputs[name])
        return table(f"input {name!r}", array, width, kind)

    def as_targets(self, targets: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return, by output, the targets as its loss reads them: labels or rows of numbers."""
        found = {}
        for loss in self.graph.losses:
            array, kernels = targets[loss.target], find_loss(loss.type).kernels
            kind, steps = kind_of(array, kernels)
            known = self.resident.loss_kinds.setdefault(loss.output, kind)
            if steps is not None:
                self.resident.loss_steps.setdefault(loss.output, steps)
            expected = self.resident.loss_steps.get(loss.output)
            found[loss.output] = as_read(array, known, self.graph.node(loss.output).size, expected)
        return found

    def as_lengths(self, lengths: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the lengths of the inputs that have some, int64 (N, 1), up to all steps."""
        found = {}
        for name in self.graph.lengths:
            steps, given = self.graph.inputs[name][0], lengths[name]
            least, _ = self.graph.least_lengths()[name]
            if len(given) and not least <= given.min() <= given.max() <= steps:
                raise ValueError(f"lengths from {given.min()} to {given.max()}, of {steps} steps")
            found[name] = np.ascontiguousarray(given, dtype=np.int64).reshape(-1, 1)
        return found

    def counts(self, targets: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return, by output, how many steps of each sample count, where targets are over steps."""
        steps = self.resident.loss_steps
        return {n: counted(a, steps[n]) for n, a in targets.items() if n in steps}

    def rate_table(self, first_step: int, rates: np.ndarray) -> np.ndarray:
        """Return the step-dependent scalars, a row a step, in the order of ``_columns``."""
        if self.rule is None:
            raise RuntimeError("the plan was compiled without an optimizer")
        t = np.arange(first_step + 1, first_step + 1 + len(rates), dtype=np.float64)
        fields = {**self.optimizer.model_dump(), "learning_rate": rates}
        scalars = {"learning_rate": rates, **self.rule.scalars(fields, t)}
        return np.ascontiguousarray(np.stack(list(scalars.values()), axis=1))

    # -- tapes -----------------------------------------------------------------------------------

    def train(self) -> Tape:
        """Forward, losses, backward, penalty, update."""
        return self._tape("train", lambda: self._training(update=True))

    def probe(self, keep: bool = False) -> Tape:
        """Forward, losses and backward, without an update. ``keep``: every array stays."""
        name = "probe.kept" if keep else "probe"
        return self._tape(name, lambda: self._training(update=False, keep=keep), keep=keep)

    def kept_train(self) -> Tape:
        """The training tape with every array kept, to look for what is not finite."""
        return self._tape("train.kept", lambda: self._training(update=True, keep=True), keep=True)

    def evaluation(self, losses: bool, few: bool = False) -> Tape:
        """Forward in evaluation mode; hands out outputs and, if asked, the samples' losses. In that
        of a ``few`` samples of a recurrent network cores share a sample; the bits are the same."""
        few = few and not self.graph.states and any(node.steps for node in self.graph.nodes)
        capacity = min(FEW, self.eval_batch) if few else self.eval_batch
        name = f"evaluation.{losses}.{capacity}"
        return self._tape(name, lambda: self._evaluation(losses, capacity), settles=True)

    def kept_evaluation(self) -> Tape:
        """Forward in evaluation mode for a training batch at most, with every array kept."""

        def make() -> Lowering:
            lowering = self._lowering(self.batch, False, in_place=False)
            lowering.forward()
            return lowering

        return self._tape("evaluation.kept", make, keep=True)

    def speaking(self, fed: str, never: int, stop: int) -> Tape:
        """A step in evaluation mode, and the choice of what the next one is fed."""
        name = f"speaking.{never}.{stop}"
        return self._tape(name, lambda: self._speaking(fed, never, stop), settles=True)

    def features(self, node: str) -> Tape:
        """Forward in evaluation mode up to a node, and hand out what it gives."""
        return self._tape(f"features.{node}", lambda: self._features(node), settles=True)

    def last_node(self, layer: str) -> str:
        """Return the last node of a layer (its activation, if it has one), or the node itself."""
        names = [n.name for n in self.graph.nodes if n.layer == layer and n.op != "split"]
        return names[-1] if names else layer

    def _tape(
        self, name: str, make: Callable[[], Lowering], keep: bool = False, settles: bool = False
    ) -> Tape:
        if name not in self._made:
            began = time.perf_counter()
            lowering = make()
            capacity, first, moving = lowering.make.capacity, None, self.resident.moving
            if settles:
                early, lowering.steps = settle(lowering.steps, {*moving, self.resident.zeros})
                if early:
                    made = self._draft(early, capacity, keep=True)
                    first = settled_tape(made, self.threads, self.dtype)
            draft = self._draft(lowering.steps, capacity, keep)
            tape = Tape(draft, self._find_room(draft.room(self.threads), keep), self.dtype, first)
            written = {buffer for step in lowering.steps for buffer in step.writes}
            tape.moves = not settles and not moving.isdisjoint(written)
            tape.lowering = lowering
            self._made[name] = tape
            self.seconds += time.perf_counter() - began
        return self._made[name]

    def _draft(self, steps: Sequence[Step], capacity: int, keep: bool) -> Draft:
        width = max(node.size for node in self.graph.nodes)
        return Draft.of(steps, capacity, width, np.dtype(self.dtype).itemsize, keep)

    def _find_room(self, size: int, keep: bool) -> Arena:
        """Tapes run one at a time, so they share their room, if it is large enough."""
        if keep or self._room is None or len(self._room.bytes) < size:
            room = Arena(size)
            if keep:
                return room
            self._room = room
        return self._room

    # -- lowering --------------------------------------------------------------------------------

    def _lowering(self, capacity: int, training: bool, in_place: bool = True) -> Lowering:
        make = Maker(capacity, np.dtype(self.dtype), cpu.lanes(self.dtype))
        graph = self.lean if in_place else self.graph
        lowering = Lowering(graph, make, self.resident, training, in_place)
        lowering.begin()
        return lowering

    def _training(self, update: bool, keep: bool = False) -> Lowering:
        lowering = self._lowering(self.batch, True, in_place=not keep)
        if update and self.rule is not None and self.rule.before is not None:
            lowering.steps.append(self._flat(self.rule.before, "update.before"))
        lowering.forward()
        for loss in self.graph.losses:
            lowering.loss(loss, backward=True)
        lowering.sum_losses()
        if update:
            lowering.keep_states()
        lowering.backward(backward_order(lowering.graph))
        lowering.steps += self._penalties()
        if self.wants_norm and update:
            lowering.steps += self._norm(lowering.make)
        if update and self.rule is not None:
            lowering.steps.append(self._flat(self.rule.update, "update"))
        return lowering

    def _evaluation(self, losses: bool, capacity: int) -> Lowering:
        lowering = self._lowering(capacity, False)
        lowering.forward()
        for loss in self.graph.losses if losses else ():
            lowering.loss(loss, backward=False)
            lowering.hand_out_losses(f"losses.{loss.output}", lowering.losses[loss.output])
        for name in self.graph.outputs:
            size = self.graph.node(name).size
            lowering.hand_out(f"output.{name}", lowering.y[name], size)
        return lowering

    def _speaking(self, fed: str, never: int, stop: int) -> Lowering:
        lowering = self._lowering(self.eval_batch, False)
        lowering.forward()
        arrays = {
            "x": lowering.y[self.graph.outputs[0]],
            "said": lowering.table("said", self.eval_batch, "i"),
            "fed": lowering.table(f"input.{fed}", 1, "i"),
            "manner": lowering.table("manner", 2, "d"),
        }
        numbers = {"never": never, "stop": stop}
        lowering.add(arrays, numbers, Call(choose.choose), "next", "choose")
        return lowering

    def _features(self, node: str) -> Lowering:
        lowering = self._lowering(self.eval_batch, False, in_place=False)
        lowering.forward(lowering.graph.ancestors([node]))
        lowering.hand_out(f"features.{node}", lowering.y[node], self.graph.node(node).size)
        return lowering

    def _columns(self) -> dict[str, int]:
        if self.rule is None:
            return {}
        one = np.ones(1)
        fields = {**self.optimizer.model_dump(), "learning_rate": one}
        names = ["learning_rate", *self.rule.scalars(fields, one)]
        return {name: k for k, name in enumerate(names)}

    def zone_buffer(self, name: str) -> Buffer:
        item = np.dtype(self.dtype).itemsize
        count = self.zone.elements
        address = self.memory.zone_address(name)
        return Buffer(name, "vector", "f", count, count, count, item, True, address)

    def _zones(self) -> dict[str, Buffer]:
        if not hasattr(self, "_zone_buffers"):
            names = ["p", "g", *(self.rule.slots + self.rule.temporary if self.rule else ())]
            self._zone_buffers = {name: self.zone_buffer(name) for name in names}
        return self._zone_buffers

    def _flat(self, kernel: Any, label: str) -> Step:
        step = flat_step(kernel, self._zones(), self._columns(), self.optimizer.model_dump(), label)
        chunks, chunk = self.zone.chunks, self.zone.chunk
        step.fixed_split = Split(1, chunks, chunk, 1, chunk, limit=chunks)
        step.extra = {*self.resident.parameters.values(), *self.resident.gradients.values()}
        return step

    def _penalties(self) -> list[Step]:
        """Add the gradient of l1 and l2 to each parameter that has one."""
        steps = []
        for name, one in self.graph.parameters.items():
            if not (one.l1 or one.l2):
                continue
            p, g = self.resident.parameters[name], self.resident.gradients[name]
            values: dict[str, Any] = {"p": Flat(p), "dp": Flat(g)}
            values |= {"l1": float(one.l1), "l2": float(one.l2)}
            step = Step(ends.add_penalty, values, Sizes(0, 0, {}), f"{name}.penalty")
            count = self.zone.layouts[name].elements
            step.fixed_split = Split(1, 1, 4096, -(-count // 4096), count, limit=1)
            steps.append(step)
        return steps

    def _norm(self, make: Maker) -> list[Step]:
        chunks = self.zone.chunks
        norms = make.vector("norms", chunks, "d")
        values: dict[str, Any] = {"dp": Flat(self._zones()["g"]), "norms": norms, "chunks": chunks}
        values["chunk"] = self.zone.chunk
        sizes = Sizes(0, 0, {"chunks": chunks})
        first = Step(ends.square_sums, values, sizes, "gradient.squares")
        first.extra = set(self.resident.gradients.values())
        total: dict[str, Any] = {"norms": norms, "chunks": chunks}
        return [first, Step(ends.gradient_norm, total, sizes, "gradient.norm")]
