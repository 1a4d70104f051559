"""From graph to steps: the calls of one tape, in order, with the buffers they share."""

from __future__ import annotations

import zlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nnctl.graph.autodiff import BackwardStep
from nnctl.graph.graph import INPUT, SPLIT, Graph, LossNode, Node
from nnctl.ops import batch as ends
from nnctl.ops.registry import Call, Op, Site, Temporary, find
from nnctl.plan.binding import Binder
from nnctl.plan.buffers import Buffer, Maker
from nnctl.plan.feeding import feed_own
from nnctl.plan.folding import fold, folds
from nnctl.plan.kept import saved
from nnctl.plan.lengths import Lengths
from nnctl.plan.losses import add_loss, add_sums
from nnctl.plan.resident import Resident, Scaling
from nnctl.plan.shards import row_split
from nnctl.plan.sites import site_of
from nnctl.plan.steps import Step, Table


@dataclass
class Lowering:
    """Lowers one tape. ``training`` includes what only training does (dropout, for one)."""

    graph: Graph
    make: Maker
    resident: Resident
    training: bool
    in_place: bool = True
    steps: list[Step] = field(default_factory=list)
    y: dict[str, Buffer] = field(default_factory=dict)
    dy: dict[tuple[str, int], Buffer] = field(default_factory=dict)  # by reader and input number
    saved: dict[str, dict[str, Buffer]] = field(default_factory=dict)
    temporaries: dict[tuple[str, Temporary], Buffer] = field(default_factory=dict)
    written: set[Buffer] = field(default_factory=set)
    losses: dict[str, Buffer] = field(default_factory=dict)
    counts: dict[str, Buffer] = field(default_factory=dict)  # steps that count, by output
    holed: set[Buffer] = field(default_factory=set)  # targets in which NaN is meant
    folds: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes = self.graph.by_name()
        self.lengths = Lengths(self.make)
        self.shards = row_split(self.make.capacity, max(n.size for n in self.graph.nodes))

    # -- forward -------------------------------------------------------------------------------

    def begin(self) -> None:
        self.add({}, {}, Call(ends.begin_step), "begin", "")
        self.steps[-1].is_alone = True

    def forward(self, names: Container[str] | None = None) -> None:
        """Lower the forward pass of the nodes ``names`` (default: all), inputs gathered first."""
        self.folds = {} if self.training else folds(self.graph, names)
        for node in self.graph.nodes:
            if names is not None and node.name not in names:
                continue
            if node.op == INPUT:
                self._gather(node)
        if self.training:
            feed_own(self)
        for node in self.graph.nodes:
            if node.op != INPUT and (names is None or node.name in names):
                self._forward(node)

    def _gather(self, node: Node) -> None:
        name = node.name.removeprefix(INPUT).removeprefix(".")
        letter = self.resident.source_types[name]
        x = self.y[node.name] = self.make.rows(f"{node.name}.y", node.size)
        source = self.table(f"input.{name}", node.size, letter)
        self.gather_into(x, source, letter, self.resident.normalizers.get(name), node.name)

    def gather_into(
        self, x: Buffer, source: Table, letter: str, scaling: Scaling | None, label: str
    ) -> None:
        """Take the batch's rows; in double precision up to normalization, if the data come so."""
        if scaling is not None and letter == "d":
            arrays = {"x": x, "source": source, "mean": scaling.mean64, "scale": scaling.scale64}
            self.add(arrays, {}, Call(ends.gather_normalized), label)
            return
        scale = 1.0 / 255.0 if letter == "u" else 1.0
        self.add({"x": x, "source": source}, {}, Call(ends.gather, {"scale": scale}), label)
        if scaling is not None:
            arrays = {"x": x, "mean": scaling.mean, "scale": scaling.scale}
            self.add(arrays, {}, Call(ends.normalize), label, "normalize")

    def _forward(self, node: Node) -> None:
        op = find(node.op)
        first = self.y[node.inputs[0]]
        if self.folds.get(node.inputs[0]) is node:
            self.y[node.name] = first
            return
        if op.same or (op.same_in_evaluation and not self.training):
            self.y[node.name] = first  # a row's values lie in the order of any shape
            return
        take_over = self.in_place and node.fused_with is not None and not self._is_kept(first, node)
        self.y[node.name] = first if take_over else self.make.rows(f"{node.name}.y", node.size)
        lowering = op.forward if self.training else op.evaluate
        site = self.site(node)
        self.saved[node.name] = saved(self.make, node.name, op.saved, node.shape, site)
        arrays = self._arrays(node)
        if node.name in self.folds:
            arrays |= fold(self, node, self.folds[node.name])
            site = replace(site, parameters=("w", "b"))
        for call in lowering(site):
            self.add(arrays, self.fields(node), call, node.name)

    def _is_kept(self, x: Buffer, node: Node) -> bool:
        """Whether the backward pass reads a node's input: as its x, or as the y it came from."""
        makers = [self.nodes[n] for n, y in self.y.items() if y is x and self.nodes[n].op != INPUT]
        asked = not self._read_back(node).isdisjoint({"x", "x0"})
        return self.training and (asked or any("y" in self._read_back(m) for m in makers))

    def _read_back(self, node: Node) -> set[str]:
        """The names that a node's backward kernels ask for."""
        return {
            str(call.bind.get(argument, argument))
            for call in find(node.op).backward(self.site(node))
            for argument in call.kernel.arguments
        }

    def keep_states(self) -> None:
        """Lower what moves the arrays that layers keep from step to step."""
        for node in self.graph.nodes:
            for call in find(node.op).keep(self.site(node)) if node.states else ():
                self.add(self._arrays(node), self.fields(node), call, node.name, "state")

    # -- losses --------------------------------------------------------------------------------

    def loss(self, loss: LossNode, backward: bool) -> None:
        """Gather the target, compute the losses of the samples and, in training, the gradient."""
        add_loss(self, loss, backward)

    def sum_losses(self) -> None:
        """Write the weighted mean loss of the batch to the log."""
        add_sums(self)

    # -- backward ------------------------------------------------------------------------------

    def backward(self, order: Sequence[BackwardStep]) -> None:
        """Lower the backward pass in the order given."""
        self._reached = {step.node for step in order}
        for step in order:
            self._backward(self.nodes[step.node], step)

    def sources(self, node: Node) -> list[Buffer]:
        """The gradients that come back to a node's output: from its readers, then from losses."""
        found = [
            self.dy[reader.name, i]
            for reader in self.graph.nodes
            for i, name in enumerate(reader.inputs)
            if name == node.name and (reader.name, i) in self.dy
        ]
        return found + [b for (r, _), b in self.dy.items() if r == f"loss.{node.name}"]

    def _backward(self, node: Node, step: BackwardStep) -> None:
        op, sources = find(node.op), self.sources(node)
        if op.same and node.op != SPLIT or (len(sources) == 1 and node.op == SPLIT):
            self.dy[node.name, 0] = sources[0]
            return
        arrays = self._arrays(node) | {f"dy{i}": b for i, b in enumerate(sources)}
        arrays["dy"] = sources[0]
        for i in (i for i, needed in enumerate(step.needs_dx) if needed):
            arrays |= self._dx(node, op, i, sources[0], i == step.needs_dx.index(True))
        fields = {**self.fields(node), "consumers": len(sources)}
        for call in op.backward(self.site(node, step, len(sources))):
            self.add(arrays, fields, call, node.name, "backward")

    def _dx(self, node: Node, op: Op, i: int, dy: Buffer, first: bool) -> dict[str, Buffer]:
        source = self.nodes[node.inputs[i]]
        # a formula on one gradient may write it where it reads it
        formula = op.is_elementwise and len(node.inputs) == 1
        if self.in_place and (formula or (op.takes_over and first)):
            dx = dy
        else:
            dx = self.make.rows(f"{source.name}.dy", source.size)
        self.dy[node.name, i] = dx
        return {f"dx{i}": dx} | ({"dx": dx} if i == 0 else {})

    # -- what both share -----------------------------------------------------------------------

    def site(self, node: Node, step: BackwardStep | None = None, consumers: int = 0) -> Site:
        """What the op of a node may know of its place; ``step`` in the backward pass."""
        inputs = [self.nodes[name].shape for name in node.inputs]
        needs_dx = step.needs_dx if step is not None else (True,) * len(inputs)
        over = self.in_place and find(node.op).takes_over
        return site_of(node, inputs, needs_dx, consumers, self.make, self.shards, over)

    def _arrays(self, node: Node) -> dict[str, Any]:
        arrays: dict[str, Any] = {f"x{i}": self.y[name] for i, name in enumerate(node.inputs)}
        arrays |= {"x": arrays["x0"], "y": self.y[node.name]} | self.saved.get(node.name, {})
        for i, source in enumerate(self.nodes[name] for name in node.inputs):
            if source.shape:
                arrays[f"lengths{i}"] = self.lengths.of(source)
        arrays["lengths"] = arrays.get("lengths0")
        return arrays | self.parameters(node)

    def parameters(self, node: Node) -> dict[str, Any]:
        """Parameters, their gradients and the states of a node, by their short names."""
        arrays: dict[str, Any] = {}
        for name, use in node.params.items():
            arrays[name] = self.resident.parameters[use.parameter]
            arrays[f"d{name}"] = self.resident.gradients[use.parameter]
        passing = {} if self.training else self.resident.passing
        states = {**self.resident.states, **passing}
        return arrays | {short: states[n] for short, n in node.states.items()}

    def fields(self, node: Node) -> dict[str, Any]:
        # the layer's own number among the streams of random numbers
        return {**node.fields, "stream": zlib.crc32(node.name.encode())}

    def table(self, place: str, width: int, letter: str) -> Table:
        """A resident array: the place that holds its address, numbers a row, their type."""
        return Table(self.resident.words, self.resident.places[place], width, letter)

    def hand_out(self, place: str, x: Buffer, width: int) -> None:
        """Copy a result to the array that ``place`` names."""
        out = Table(self.resident.words, self.resident.places[place], width, "f", "output")
        self.add({"x": x, "out": out}, {"x_width": width}, Call(ends.hand_out), place)

    def hand_out_losses(self, place: str, losses: Buffer) -> None:
        out = Table(self.resident.words, self.resident.places[place], 1, "d", "output")
        self.add({"losses": losses, "out": out}, {}, Call(ends.hand_out_losses), place)

    def _temporary(self, owner: str) -> Any:
        def make(asked: Temporary) -> Buffer:
            made = self.make.vector(f"{owner}.{asked.name}", asked.elements, asked.dtype)
            return self.temporaries.setdefault((owner, asked), made)

        return make

    def add(
        self,
        arrays: Mapping[str, Any],
        fields: Mapping[str, Any],
        call: Call,
        owner: str,
        what: str = "forward",
    ) -> None:
        known = {"zeros": self.resident.zeros, **arrays}
        for name in (name for name in call.kernel.arguments if name.startswith("lengths")):
            if known[name] not in self.written:
                self.lengths.fill(self, known[name])
        binder = Binder(
            known,
            fields,
            self.make.capacity,
            self.make.lanes,
            self._temporary(f"{owner}.{what}"),
            self.written,
        )
        self.steps.append(binder.step(call, f"{owner}.{what}" if what else owner))
