"""A spec's network in float64, to look inside: the gradient check and the trace of a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data import Normalizer, Part, fit_normalizer, load
from nnctl.errors import UsageError
from nnctl.graph import Graph, build
from nnctl.graph.graph import Node, small_batch
from nnctl.init import initialize
from nnctl.run.assess import sequence
from nnctl.run.differences import Checked, check_gradients
from nnctl.run.heads import Array, Head, heads
from nnctl.run.lengths import fitted
from nnctl.run.prepare import class_weights, compile_network, info_of, parts_of
from nnctl.run.tokens import check_tokens, file_of
from nnctl.spec import Spec

if TYPE_CHECKING:
    from nnctl.plan import Plan

SAMPLES = 8  # of the training part; enough for every op to have work, few enough to be quick
STRAIGHT_THROUGH = "below a straight-through estimator"


@dataclass(frozen=True)
class Inspected:
    """A network with its starting parameters, in float64, and the training part attached."""

    spec: Spec
    graph: Graph
    part: Part
    normalizer: Normalizer
    heads: tuple[Head, ...]
    plan: Plan

    def gradients(self) -> Iterator[Checked]:
        """Check the gradient of every parameter on the first samples of the training part."""
        rows = np.arange(min(SAMPLES, self.part.samples), dtype=np.int64)
        skip = dict.fromkeys(estimated(self.graph), STRAIGHT_THROUGH)
        seed = self.spec.training.seed
        return check_gradients(Objective(self.plan), "train", rows, seed=seed, skip=skip)

    def trace(self, sample: int) -> Trace:
        """Return what a step on one training sample computes. Raises UsageError for none such."""
        if not 0 <= sample < self.part.samples:
            last = self.part.samples - 1
            raise UsageError(f"there is no sample {sample}", f"the training part has 0 to {last}")
        for node in self.graph.nodes:
            if node.least_batch > 1:
                raise UsageError(*small_batch(node, 1))
        rows = np.array([sample], dtype=np.int64)
        loss = self.plan.loss("train", rows)
        nodes = tuple(self.plan.graph.nodes)
        arrays = {
            name: {key: _shaped(key, array, node.shape) for key, array in found.items()}
            for node, (name, found) in zip(nodes, self.plan.trace("train", sample), strict=True)
        }
        losses = ", ".join(f"{loss.type} of {loss.output}" for loss in self.graph.losses)
        truth = _truth(self.heads, self.part, sample)
        return Trace(sample, truth, loss, self.plan.penalty(), losses, nodes, arrays)


@dataclass(frozen=True)
class Trace:
    """One step on one sample: by node ``x``, ``y``, ``dy`` and parameters with gradients."""

    sample: int
    truth: str
    loss: float
    penalty: float
    losses: str
    nodes: tuple[Node, ...]
    arrays: Mapping[str, dict[str, Array]]


def _shaped(key: str, array: Array, shape: tuple[int, ...]) -> Array:
    """Return what a node gives, and the derivative by it, in the node's shape."""
    return array.reshape(shape) if key in ("y", "dy") else array


def _truth(found: Sequence[Head], part: Part, sample: int) -> str:
    """Return what the sample's targets are, in words."""
    words = []
    for head in found:
        value = part.targets[head.target][sample]
        if head.info.kind == "class" and head.info.steps is not None:
            said = sequence(head, value[value >= 0])
        elif head.info.kind == "class":
            said = head.classes[value] if head.classes else str(value)
        else:
            said = np.array2string(np.asarray(value), precision=6, threshold=8, edgeitems=2)
        words.append(f"target {head.name} = {said}" if head.name else f"target = {said}")
    return ", ".join(words)


class Objective:
    """A plan whose loss is what its gradients are of: the data loss and the penalty."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.penalized = any(p.l1 or p.l2 for p in plan.graph.parameters.values())
        self.parameters = plan.parameters
        self.tensors = plan.tensors
        self.restore = plan.restore

    def loss(self, split: str, rows: Array) -> float:
        """Return the mean loss of the rows in training mode, with the penalty."""
        return self._penalized(self.plan.loss(split, rows))

    def gradients(self, split: str, rows: Array) -> tuple[float, dict[str, Array]]:
        """Return that loss, and its gradients by parameter."""
        loss, gradients = self.plan.gradients(split, rows)
        return self._penalized(loss), gradients

    def _penalized(self, loss: float) -> float:
        return loss + self.plan.penalty() if self.penalized else loss


def inspected(spec: Spec, threads: int | None = None) -> Inspected:
    """Load the data of a spec and compile its network in float64, with dropout as in step 0.

    Raises SpecError, DataError.
    """
    dataset = load(spec.data, spec.base_dir, spec.problem)
    info = info_of(dataset)
    graph = build(spec, info)
    part = parts_of(dataset, spec)["train"]
    check_tokens(graph, part, file_of(spec, "train"))
    part = fitted(graph, info.targets, part, file_of(spec, "train"))
    normalizer = fit_normalizer(spec.data, part, graph.tokens())
    weights = class_weights(spec, graph, info, part)
    plan = compile_network(
        spec,
        graph,
        normalizer,
        batch=SAMPLES,
        threads=threads,
        class_weights=weights,
        dtype="float64",
    )
    values = initialize(graph, spec.training.seed)
    plan.restore({f"param/{name}": value for name, value in values.items()})
    plan.attach("train", part.inputs, part.targets, part.lengths)
    return Inspected(spec, graph, part, normalizer, heads(graph, info.targets), plan)


def estimated(graph: Graph) -> list[str]:
    """Return the parameters whose gradient passes a node with an estimate in place of its own."""
    above = graph.ancestors(n.name for n in graph.nodes if n.fields.get("straight_through"))
    uses = [use.parameter for n in graph.nodes if n.name in above for use in n.params.values()]
    return list(dict.fromkeys(uses))
