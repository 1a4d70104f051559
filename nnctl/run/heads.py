"""What the outputs of a network mean: which target each one stands beside, and in which units.

Everything that reads outputs (training's metrics, eval, predict) reads them through these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnctl.graph.graph import Graph, Node
from nnctl.metrics import View, over_steps, view
from nnctl.spec.info import TargetInfo
from nnctl.spec.registry import model

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Head:
    """One output: ``node`` in the graph, ``name`` for people ("" if it is the only one).

    ``link`` is what its loss applies to it. Plans give outputs in the target's own units. ``feeds``
    is the input by which it reads what it has said, if it does; ``stop`` the class that ends that;
    ``ends`` says that it learns where sequences of numbers end.
    """

    node: str
    name: str
    target: str
    info: TargetInfo
    link: str
    feeds: str | None = None
    stop: int | None = None
    ends: bool = False

    @property
    def prefix(self) -> str:
        """What the names of its metrics start with."""
        return f"{self.name}." if self.name else ""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of its classes; nothing if it predicts numbers."""
        return self.info.classes or ()

    def rows(self, outputs: Array) -> Array:
        """Return outputs as rows (N, width) as the target has them: logits that yes-or-no answers
        or pixels are compared with become numbers from 0 to 1."""
        values = np.asarray(outputs, dtype=np.float64).reshape(len(outputs), -1)
        if self.link != "sigmoid" or self.info.kind != "rows":
            return values
        with np.errstate(over="ignore"):
            return np.asarray(1.0 / (1.0 + np.exp(-values)))

    def view(
        self, outputs: Array, truth: Array, naive: Array | None = None, ends: Array | None = None
    ) -> View:
        """Return outputs beside the truth, both in the target's own units; ``ends`` are the steps
        that its sequences are meant to have."""
        count = self.info.width if self.classes or self.info.kind == "class" else 0
        if self.info.steps is not None:
            return over_steps(outputs, truth, self.info.kind, self.link, count, naive, ends)
        return view(outputs, truth, self.info.kind, self.link, count, naive)


def heads(graph: Graph, targets: Mapping[str, TargetInfo]) -> tuple[Head, ...]:
    """Return the outputs that have a loss, in the graph's order; they are named by their layer."""
    losses = [loss for loss in graph.losses if loss.target in targets]
    several = len(losses) > 1
    spoken = graph.spoken.items()
    feeds = {one.output: (name, one.stop, one.ends is not None) for name, one in spoken}
    found = []
    for loss in losses:
        layer = graph.node(loss.output).layer
        link = model("losses", loss.type).link  # type: ignore[attr-defined]
        info = _beside(graph.node(loss.output), targets[loss.target])
        name = layer if several else ""
        more = feeds.get(layer, (None, None, False))
        found.append(Head(loss.output, name, loss.target, info, link, *more))
    return tuple(found)


def _beside(node: Node, target: TargetInfo) -> TargetInfo:
    """A target over steps as it stands beside an output: with as many of them."""
    return target if target.steps is None else replace(target, steps=node.shape[0])
