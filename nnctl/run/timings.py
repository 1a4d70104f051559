"""What a training step takes, by layer: the times of its calls, added up as people know them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nnctl.graph import Graph
from nnctl.graph.autodiff import backward_order
from nnctl.graph.outline import home_of, outline
from nnctl.spec.shapes import format_shape

FORWARD, BACKWARD, OTHER = "forward", "backward", "other"
DIRECTIONS = {
    "forward": FORWARD, "normalize": FORWARD, "state": FORWARD, "backward": BACKWARD,
}  # fmt: skip
# Parts that are no layers, in the order of a step.
LOSS, PENALTY, OPTIMIZER, REST = "loss", "penalty", "optimizer", "rest"


@dataclass(frozen=True)
class PartTime:
    """A layer, or another part of a step. Seconds are those of a batch; what it lacks is None.

    ``flops`` are those of a batch, forward and backward, where they are known.
    """

    name: str
    type: str
    shape: str = ""
    forward: float | None = None
    backward: float | None = None
    other: float | None = None
    flops: int = 0

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(part for part in (self.forward, self.backward, self.other) if part is not None)


@dataclass(frozen=True)
class _Call:
    """Where a call belongs: to a layer or another part, which way, and to what kind of work."""

    part: str
    is_layer: bool
    direction: str
    op: str
    seconds: float


@dataclass(frozen=True)
class Breakdown:
    """The parts of a step; ``ops`` are the seconds of each kind of work, the longest first."""

    layers: tuple[PartTime, ...]
    others: tuple[PartTime, ...]
    ops: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """All parts together."""
        return sum(part.seconds for part in (*self.layers, *self.others))


def break_down(
    graph: Graph,
    planned: Graph,
    batch: int,
    optimizer: str,
    labels: Sequence[str],
    seconds: Sequence[float],
) -> Breakdown:
    """Add up the calls of a step, which have ``labels``, by the layers of ``graph``.

    ``planned`` is the graph that was compiled: the same, with the nodes that its passes added.
    """
    home = {node.name: (home_of(node), node.op) for node in planned.nodes}
    calls = [_call(home, *pair) for pair in zip(labels, seconds, strict=True)]
    ops: dict[str, float] = {}
    for call in calls:
        ops[call.op] = ops.get(call.op, 0.0) + call.seconds
    return Breakdown(
        layers=tuple(_layers(graph, batch, calls)),
        others=tuple(_others(graph, optimizer, calls)),
        ops=dict(sorted(ops.items(), key=lambda pair: -pair[1])),
    )


def _call(home: Mapping[str, tuple[str, str]], label: str, seconds: float) -> _Call:
    owner, _, what = label.rpartition(".")
    if owner in home and what in DIRECTIONS:
        layer, op = home[owner]
        return _Call(layer, True, DIRECTIONS[what], op, seconds)
    if label.startswith(("loss.", "target")):
        return _Call(LOSS, False, FORWARD, LOSS, seconds)
    if what == "dy":
        return _Call(LOSS, False, BACKWARD, LOSS, seconds)
    part = REST
    if what == "penalty":
        part = PENALTY
    elif label.startswith(("gradient.", "update")):
        part = OPTIMIZER
    return _Call(part, False, OTHER, part, seconds)


def _sum(calls: Sequence[_Call], part: str, is_layer: bool, direction: str) -> float | None:
    found = [
        call.seconds
        for call in calls
        if (call.part, call.is_layer, call.direction) == (part, is_layer, direction)
    ]
    return sum(found) if found else None


def _layers(graph: Graph, batch: int, calls: Sequence[_Call]) -> Iterator[PartTime]:
    passes = {s.node: 1 + sum(s.needs_dx) + s.needs_dw for s in backward_order(graph)}
    for layer in outline(graph):
        yield PartTime(
            name=layer.name,
            type=layer.type,
            shape=format_shape(layer.shape),
            forward=_sum(calls, layer.name, True, FORWARD),
            backward=_sum(calls, layer.name, True, BACKWARD),
            flops=batch * sum(node.flops * passes.get(node.name, 1) for node in layer.nodes),
        )


def _others(graph: Graph, optimizer: str, calls: Sequence[_Call]) -> Iterator[PartTime]:
    losses = ", ".join(dict.fromkeys(loss.type for loss in graph.losses))
    for name, kind in ((LOSS, losses), (PENALTY, ""), (OPTIMIZER, optimizer), (REST, "")):
        part = PartTime(
            name=name,
            type=kind,
            forward=_sum(calls, name, False, FORWARD),
            backward=_sum(calls, name, False, BACKWARD),
            other=_sum(calls, name, False, OTHER),
        )
        if (part.forward, part.backward, part.other) != (None, None, None):
            yield part
