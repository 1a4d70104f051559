"""What says the next step of sequences: a network of one step, or the whole one again and again.

Both run as in evaluation and give the same bits. A step's network is a fraction of the work; the
whole one is for those that cannot go step by step, as convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.graph.stepping import NotByStep, Stepped, one_step

if TYPE_CHECKING:
    from nnctl.plan import Plan
    from nnctl.plan.stepper import Stepper

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]
NAME = "speaking"


class Speaker:
    """Sequences that a decoder says side by side: ``beams`` for each sample, next to each other."""

    def __init__(self, plan: Plan, name: str) -> None:
        graph, self.plan, self.one = plan.graph, plan, plan.graph.fed[name]
        by_layer = {graph.node(node).layer: node for node in graph.outputs}
        self.output, self.stop = by_layer[self.one.output], by_layer.get(self.one.ends or "")
        self.found: Mapping[str, Array] = {}
        self.count = 0

    def step(self, given: Array | None) -> Array:
        """Take what was chosen (R, ...); return the outputs (R, K) of the next step."""
        raise NotImplementedError

    def reorder(self, parents: Array) -> None:
        """Go on from other sequences of the same samples."""
        raise NotImplementedError

    def now(self, node: str) -> Array:
        """Return what an output node gave at the last step (R, K)."""
        return self.found[node]

    def ended(self) -> Array:
        """Return whether the sequences end with the step that was just said (R,)."""
        if self.stop is None:
            return np.zeros(self.count, dtype=bool)
        return np.asarray(self.now(self.stop)[:, 0] > 0)


class ByStep(Speaker):
    """Runs the network of one step; what does not change is computed once."""

    def __init__(
        self, plan: Plan, name: str, stepper: Stepper, inputs: Arrays, lengths: Arrays, beams: int
    ) -> None:
        super().__init__(plan, name)
        self.stepper = stepper
        plan.attach(NAME, inputs, None, lengths)
        whole, stepped = plan.given.by_name(), stepper.stepped
        kept = {key: plan.features(NAME, None, node) for key, node in stepped.kept.items()}
        starts = {key: plan.features(NAME, None, n) for key, n in stepped.starts.items() if n}
        of_kept = {key: whole[stepped.kept[key]].lengths for key in stepped.graph.lengths}
        ends = {key: one.of(lengths[one.input]) for key, one in of_kept.items() if one is not None}
        first = plan.splits[NAME].inputs[name]
        first = first.reshape(len(first), self.one.steps, -1)[:, :1]
        self.count = len(first) * beams
        kept, starts, ends = (
            {k: _wide(a, beams) for k, a in d.items()} for d in (kept, starts, ends)
        )
        stepper.begin(_wide(first, beams), kept, ends, starts)

    def step(self, given: Array | None) -> Array:
        if given is not None:
            self.stepper.feed(given)
        found = self.stepper.step()
        self.found = {node: self.plan.in_units(node, a) for node, a in found.items()}
        return self.found[self.output]

    def reorder(self, parents: Array) -> None:
        self.stepper.reorder(parents)


class Again(Speaker):
    """Runs the whole network on all that was said."""

    def __init__(self, plan: Plan, name: str, inputs: Arrays, lengths: Arrays, beams: int) -> None:
        super().__init__(plan, name)
        wide, ends = ({k: _wide(a, beams) for k, a in d.items()} for d in (inputs, lengths))
        plan.attach(NAME, wide, None, ends)
        part = plan.splits[NAME]
        self.before, self.ends = part.inputs[name], part.lengths[name]
        self.count, self.at = len(self.before), -1

    def step(self, given: Array | None) -> Array:
        self.at += 1
        if given is not None:
            rows = self.before.reshape(self.count, self.one.steps, -1)
            rows[:, self.at] = given.reshape(self.count, -1)
        self.ends[:] = self.at + 1
        outputs = self.plan.evaluate(NAME).outputs
        shaped = {n: a.reshape(self.count, self.one.steps, -1) for n, a in outputs.items()}
        self.found = {n: a[:, self.at] for n, a in shaped.items()}
        return self.found[self.output]

    def reorder(self, parents: Array) -> None:
        self.before[:] = self.before[parents]


def _wide(array: Array, beams: int) -> Array:
    return np.ascontiguousarray(np.repeat(array, beams, axis=0))


class Speakers:
    """Makes the speakers of a plan; the network of one step is compiled once."""

    def __init__(self, plan: Plan, name: str, rows: int) -> None:
        self.plan, self.name = plan, name
        self.stepper: Stepper | None = None
        stepped = self._stepped(rows)
        if stepped is not None:
            from nnctl.plan.stepper import Stepper

            self.stepper = Stepper(stepped, plan, rows)

    def _stepped(self, rows: int) -> Stepped | None:
        graph, one = self.plan.given, self.plan.given.fed[self.name]
        wanted = (one.output, one.ends)
        outputs = [node for node in graph.outputs if graph.node(node).layer in wanted]
        try:
            return one_step(graph, self.name, outputs, rows)
        except NotByStep:
            return None

    def of(self, inputs: Arrays, lengths: Arrays, beams: int) -> Speaker:
        """Return what speaks for some samples."""
        if self.stepper is None:
            return Again(self.plan, self.name, inputs, lengths, beams)
        return ByStep(self.plan, self.name, self.stepper, inputs, lengths, beams)

    def close(self) -> None:
        """End the threads of the step's network."""
        if self.stepper is not None:
            self.stepper.close()
