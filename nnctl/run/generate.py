"""Text that a network goes on with: each symbol is drawn, and read for the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnctl.data.problems import counted, in_file
from nnctl.data.sources.text import at
from nnctl.data.tokens import (
    Kind,
    Prompt,
    Vocabulary,
    legible,
    start_of,
    tokens,
    unknown_places,
)
from nnctl.errors import DataError, Problem, UsageError
from nnctl.graph.stepping import NotByStep, one_step
from nnctl.random import Purpose, generator
from nnctl.run.evaluate import Stored, compiled, read

if TYPE_CHECKING:
    from nnctl.plan import Plan

Array = np.ndarray[Any, Any]
PIECE = 256  # steps in one call: a moment's work


@dataclass(frozen=True)
class Sampling:
    """How symbols are drawn: ``temperature`` 0 takes the likeliest, ``top_k`` 0 allows all."""

    length: int = 200
    temperature: float = 1.0
    top_k: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Generated:
    """A prompt, and the text that goes on from it."""

    prompt: str
    text: str


def generate(
    path: Path, prompts: Sequence[Prompt], how: Sampling, threads: int | None = None
) -> list[Generated]:
    """Return what a checkpoint of a text makes of some prompts. Raises UsageError, DataError."""
    stored = read(path)
    known = _vocabulary(stored)
    codes = _codes(prompts, known)
    plan = compiled(stored, None, threads)
    try:
        said = _said(stored, plan, prompts, codes, how)
    finally:
        plan.close()
    pairs = zip(prompts, codes, said, strict=True)
    glue = " " if known.kind == "word" else ""
    return [Generated(p.text, glue + known.text(row[len(c) :].tolist())) for p, c, row in pairs]


def _vocabulary(stored: Stored) -> Vocabulary:
    """Return the symbols of a text model. Raises UsageError for a network that is none."""
    reading, info = stored.reading, stored.info
    refusal = "--prompt is for networks that learn how a text goes on, and this one"
    hint = "give it files to predict, as INPUT"
    if reading is None or reading.noun != "text" or stored.graph.spoken:
        raise UsageError(f"{refusal} does not read one text", hint)
    (target,) = info.targets.values()
    if target.ahead != 1:
        raise UsageError(f"{refusal} predicts the symbol {target.ahead} steps ahead", hint)
    return reading.vocabularies[""]


def _wrong(prompts: Sequence[Prompt], number: int, message: str, hint: str) -> Problem:
    """Name a mistake in one of the prompts."""
    if prompts[number].file:
        return in_file(Path(prompts[number].file), message, hint)
    return Problem(f"{_which(prompts, number)} {message}", hint)


def _which(prompts: Sequence[Prompt], number: int) -> str:
    return f"prompt {number + 1}" if len(prompts) > 1 else "the prompt"


def _unknown(prompts: Sequence[Prompt], number: int, kind: Kind, place: int, sign: str) -> Problem:
    """Name a token that is not known: in a file by line and column, else by its number."""
    prompt, lacks = prompts[number], "is not in the text that the network was trained on"
    hint = "the network knows the symbols of its training part alone"
    if prompt.file:
        start = start_of(prompt.text, kind, place)
        return at(Path(prompt.file), prompt.text, start, f'{kind} "{sign}" {lacks}', hint)
    which = _which(prompts, number)
    return Problem(f'{which}: {kind} "{sign}" (number {place + 1}) {lacks}', hint)


def _codes(prompts: Sequence[Prompt], known: Vocabulary) -> list[list[int]]:
    """Return the symbols of the prompts. Raises DataError for what is not known, all at once."""
    problems, found = [], []
    for number, prompt in enumerate(prompts):
        cut = tokens(prompt.text, known.kind)
        if not len(cut):
            hint = "give it something to go on from"
            problems.append(_wrong(prompts, number, f"holds no {known.kind}", hint))
        for place in unknown_places(cut, known):
            sign = legible(str(cut[place]))
            problems.append(_unknown(prompts, number, known.kind, place, sign))
        found.append(list(known.codes(cut)))
    if problems:
        raise DataError(problems)
    return found


def _said(
    stored: Stored, plan: Plan, prompts: Sequence[Prompt], codes: list[list[int]], how: Sampling
) -> list[Array]:
    """Return the symbols of the prompts, each with ``length`` more."""
    node = stored.heads[0].node
    try:
        stepped = one_step(plan.given, "", [node], len(codes))
    except NotByStep:
        _require_windows(plan, node, prompts, codes)
        return _by_windows(plan, node, codes, how)
    from nnctl.plan.stepper import Stepper

    stepper = Stepper(stepped, plan, len(codes))
    steps = max(map(len, codes)) + how.length - 1
    said = np.full((steps + 1, len(codes)), -1, dtype=np.int64)
    for k, code in enumerate(codes):
        said[: len(code), k] = code
    try:
        stepper.begin(said[:1].T, {}, {}, {})
        for first in range(0, steps, PIECE):
            count = min(PIECE, steps - first)
            stepper.speak(
                said, first, count, temperature=how.temperature, top_k=how.top_k, seed=how.seed
            )
    finally:
        stepper.close()
    return [said[: len(code) + how.length, k] for k, code in enumerate(codes)]


def _require_windows(
    plan: Plan, node: str, prompts: Sequence[Prompt], codes: list[list[int]]
) -> None:
    """Raise DataError for prompts that are too short for a network that reads windows whole."""
    window = plan.given.inputs[""][0]
    if len(plan.given.node(node).shape) > 1:
        return
    looks = f"the network looks at {window} before it says the next"
    hint = f"give a prompt of {window} symbols or more"
    problems = [
        _wrong(prompts, k, f"has {counted(len(code), 'symbol')}, and {looks}", hint)
        for k, code in enumerate(codes)
        if len(code) < window
    ]
    if problems:
        raise DataError(problems)


def _by_windows(plan: Plan, node: str, codes: list[list[int]], how: Sampling) -> list[Array]:
    """The same by running the network on the last window again and again."""
    window = plan.given.inputs[""][0]
    every = len(plan.given.node(node).shape) > 1
    found = []
    for k, code in enumerate(codes):
        said = list(code)
        for step in range(how.length):
            last = said[-window:]
            x = np.zeros((1, window), dtype=np.int64)
            x[0, : len(last)] = last
            plan.attach("window", {"": x})
            outputs = plan.evaluate("window").outputs[node].reshape(-1)
            scores = outputs.reshape(window, -1)[len(last) - 1] if every else outputs
            uniform = generator(how.seed, Purpose.SAMPLE, k, step).random()
            said.append(drawn(scores.astype(np.float64), how, uniform))
        found.append(np.array(said))
    return found


def drawn(scores: Array, how: Sampling, uniform: float) -> int:
    """Return the likeliest class, or the one at which the sum of probabilities passes a number."""
    if how.temperature <= 0:
        return int(np.argmax(scores))
    odds = np.exp((scores - scores.max()) / how.temperature)
    if how.top_k:
        odds[np.argsort(-scores, kind="stable")[how.top_k :]] = 0
    sums = np.cumsum(odds)
    place = int(np.searchsorted(sums, uniform * sums[-1], side="right"))
    return min(place, int(np.flatnonzero(odds)[-1]))
