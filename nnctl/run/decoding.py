"""Sequences that a network says itself: each step reads what it said before, to a stop or a limit.

What says the next step is in ``speakers.py``, what chooses in ``search.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.errors import UsageError
from nnctl.graph.graph import Fed, Graph
from nnctl.run.heads import Head
from nnctl.run.search import Rules, Said, search
from nnctl.run.speakers import Speaker, Speakers

if TYPE_CHECKING:
    from nnctl.data import Part
    from nnctl.plan import Plan

Array = np.ndarray[Any, Any]
ROWS = 1024  # samples at once


@dataclass(frozen=True)
class Manner:
    """How sequences are looked for: so many at once, of at most so many steps."""

    beams: int = 1
    limit: int | None = None
    length_penalty: float = 0.0

    def check(self, graph: Graph) -> None:
        """Raise UsageError where nothing is said, or not for so long."""
        if self != GREEDY and not graph.spoken:
            raise UsageError(
                "beams and lengths are for networks that say a sequence, and this one says none",
                "leave --beams, --max-length and --length-penalty out",
            )
        numbers = all(one.tokens is None for one in graph.spoken.values())
        if graph.spoken and numbers and (self.beams > 1 or self.length_penalty):
            raise UsageError(
                "beams weigh symbols by their probabilities, and this network says numbers",
                "leave --beams and --length-penalty out",
            )
        for one in graph.spoken.values():
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


@dataclass(frozen=True)
class Numbers:
    """``values`` (N, steps, W) in their own units; ``ends`` (N,) how many of them the network
    means, where it has learned to end."""

    values: Array
    ends: Array

    @property
    def meant(self) -> Array:
        """The values, NaN behind the end of each sequence."""
        there = np.arange(self.values.shape[1]) < self.ends[:, None]
        return np.where(there[:, :, None], self.values, np.nan)


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


def _speakers(plan: Plan, name: str, part: Part, beams: int) -> Iterator[tuple[Speaker, int]]:
    """Yield what speaks for some samples at a time, and how many they are."""
    portion = max(1, min(ROWS // beams, part.samples))
    made = Speakers(plan, name, portion * beams)
    try:
        for start in range(0, part.samples, portion):
            rows = slice(start, start + portion)
            inputs = {key: array[rows] for key, array in part.inputs.items()}
            lengths = {key: array[rows] for key, array in part.lengths.items()}
            count = len(next(iter(inputs.values())))
            yield made.of(inputs, lengths, beams), count
    finally:
        made.close()


def as_targets(plan: Plan, heads: Sequence[Head], part: Part, manner: Manner) -> dict[str, Array]:
    """Return what the decoders say of a part, by target, in the form of targets over steps."""
    found = {}
    for head in heads:
        if head.feeds is not None:
            said = all_said(plan, head, [part], manner)
            given, filler = (said.tokens, -1) if isinstance(said, Said) else (said.meant, np.nan)
            room = [(0, 0)] * given.ndim
            room[1] = (0, plan.graph.fed[head.feeds].steps - given.shape[1])
            found[head.target] = np.pad(given, room, constant_values=filler)
    return found


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


def speaks(
    plan: Plan, part: Part, manner: Manner = GREEDY
) -> Callable[[Head], tuple[Array, Array]]:
    """Return the function that gives what the decoder of an output says of a part, once for all,
    and where each sequence ends."""

    @cache
    def speak(head: Head) -> tuple[Array, Array]:
        # numbers are measured at every step, however early an end was asked for
        found = all_said(plan, head, [part], manner if head.info.kind == "class" else GREEDY)
        if isinstance(found, Numbers):
            return found.values, found.ends
        return found.tokens, (found.tokens >= 0).sum(axis=1)

    return speak
