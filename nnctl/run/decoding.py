"""Sequences that a network says itself: each step reads what it said before, to a stop or a limit.

The network runs as it does in evaluation; what is fed to it grows by a step at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.errors import UsageError
from nnctl.graph.graph import Fed, Graph
from nnctl.run.heads import Head
from nnctl.run.search import Rules, Said, search

if TYPE_CHECKING:
    from nnctl.data import Part
    from nnctl.plan import Plan

Array = np.ndarray[Any, Any]
ROWS = 1024  # samples at once
NAME = "decoding"


@dataclass(frozen=True)
class Manner:
    """How sequences are looked for: so many at once, of at most so many steps."""

    beams: int = 1
    limit: int | None = None
    length_penalty: float = 0.0

    def check(self, graph: Graph) -> None:
        """Raise UsageError where nothing is said, or not for so long."""
        if self != GREEDY and not graph.fed:
            raise UsageError(
                "beams and lengths are for networks that say a sequence, and this one says none",
                "leave --beams, --max-length and --length-penalty out",
            )
        for one in graph.fed.values():
            if self.limit is not None and self.limit > one.steps:
                raise UsageError(
                    f"--max-length {self.limit} is longer than what the network says at most",
                    f"the longest sequence that it was trained on has {one.steps} steps, with the "
                    "stop; train with a larger data.max_length",
                )

    def rules(self, one: Fed) -> Rules:
        """What holds for the sequences of one decoder."""
        steps = min(one.steps, self.limit or one.steps)
        never = () if one.start is None or one.start >= one.width else (one.start,)
        return Rules(steps, one.stop, never, self.beams, self.length_penalty)


GREEDY = Manner()


class Repeated:
    """Says the next step by running the whole network on all that was said."""

    def __init__(
        self,
        plan: Plan,
        name: str,
        inputs: Mapping[str, Array],
        lengths: Mapping[str, Array],
        beams: int = 1,
    ) -> None:
        self.plan, self.one = plan, plan.graph.fed[name]
        wide = {key: np.repeat(array, beams, axis=0) for key, array in inputs.items()}
        ends = {key: np.repeat(array, beams, axis=0) for key, array in lengths.items()}
        plan.attach(NAME, wide, None, ends)
        part = plan.splits[NAME]
        self.before, self.ends = part.inputs[name], part.lengths[name]
        self.count, self.now = len(self.before), -1
        graph = plan.graph
        by_layer = {graph.node(node).layer: node for node in graph.outputs}
        self.output, self.stop = by_layer[self.one.output], by_layer.get(self.one.ends or "")
        self.found: Mapping[str, Array] = {}

    def step(self, given: Array | None) -> Array:
        """Take what was chosen (R, ...); return the outputs (R, K) of the next step."""
        self.now += 1
        if given is not None:
            rows = self.before.reshape(self.count, self.one.steps, -1)
            rows[:, self.now] = given.reshape(self.count, -1)
        self.ends[:] = self.now + 1
        self.found = self.plan.evaluate(NAME).outputs
        return self._now(self.output)

    def ended(self) -> Array:
        """Return whether the sequences end with the step that was just said (R,)."""
        if self.stop is None:
            return np.zeros(self.count, dtype=bool)
        return np.asarray(self._now(self.stop)[:, 0] > 0)

    def _now(self, node: str) -> Array:
        steps: Array = self.found[node].reshape(self.count, self.one.steps, -1)
        return steps[:, self.now]

    def reorder(self, parents: Array) -> None:
        """Go on from other sequences of the same samples."""
        self.before[:] = self.before[parents]


@dataclass(frozen=True)
class Numbers:
    """``values`` (N, steps, W) in their own units; ``ends`` (N,) how many of them the network
    means, where it has learned to end."""

    values: Array
    ends: Array


def said(plan: Plan, name: str, part: Part, manner: Manner) -> Said:
    """Return what a decoder of classes says of all samples of a part."""
    rules = manner.rules(plan.graph.fed[name])
    found = [
        search(speaker, count, rules) for speaker, count in _speakers(plan, name, part, rules.beams)
    ]
    return _joined(found)


def said_numbers(plan: Plan, name: str, part: Part, manner: Manner) -> Numbers:
    """Return what a decoder of numbers says of all samples of a part."""
    rules, found = manner.rules(plan.graph.fed[name]), []
    for speaker, count in _speakers(plan, name, part, 1):
        given, steps, ends = None, [], np.full(count, rules.steps)
        for step in range(rules.steps):
            given = speaker.step(given)
            steps.append(given)
            ends = np.where(speaker.ended() & (ends == rules.steps), step + 1, ends)
        found.append(Numbers(np.stack(steps, axis=1), ends))
    return _joined_numbers(found)


def _speakers(plan: Plan, name: str, part: Part, beams: int) -> Iterator[tuple[Repeated, int]]:
    """Yield what speaks for some samples at a time, and how many they are."""
    portion = max(1, ROWS // beams)
    for start in range(0, part.samples, portion):
        rows = slice(start, start + portion)
        inputs = {key: array[rows] for key, array in part.inputs.items()}
        lengths = {key: array[rows] for key, array in part.lengths.items()}
        count = len(next(iter(inputs.values())))
        yield Repeated(plan, name, inputs, lengths, beams), count


def all_said(plan: Plan, head: Head, parts: Sequence[Part], manner: Manner) -> Said | Numbers:
    """Return what the decoder of an output says of the samples of several parts."""
    name = head.feeds or ""
    if head.info.kind == "class":
        return _joined([said(plan, name, part, manner) for part in parts])
    found = [said_numbers(plan, name, part, manner) for part in parts]
    return _joined_numbers(found)


def _joined_numbers(found: Sequence[Numbers]) -> Numbers:
    values, ends = [f.values for f in found], [f.ends for f in found]
    return Numbers(np.concatenate(values), np.concatenate(ends))


def _joined(found: Sequence[Said]) -> Said:
    return Said(np.concatenate([f.tokens for f in found]), np.concatenate([f.logs for f in found]))


def speaks(plan: Plan, part: Part, manner: Manner = GREEDY) -> Callable[[Head], Array]:
    """Return the function that gives what the decoder of an output says of a part, once for all."""

    @cache
    def speak(head: Head) -> Array:
        if head.info.kind == "class":
            return said(plan, head.feeds or "", part, manner).tokens
        return said_numbers(plan, head.feeds or "", part, Manner()).values

    return speak
