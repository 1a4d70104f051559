"""Whether data have the symbols that a checkpoint was trained on; those that differ by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nnctl.data.problems import MAX_PROBLEMS, listing
from nnctl.data.reading import Reading
from nnctl.data.strangers import strangers
from nnctl.data.tokens import Vocabulary, legible
from nnctl.errors import CheckpointError, Problem
from nnctl.spec import Spec


def check_symbols(spec: Spec, now: Reading | None, meta: Mapping[str, Any] | None) -> None:
    """Refuse to go on with a checkpoint on data of other symbols, which its layers cannot number.

    ``meta`` is the checkpoint's, if there is one. Raises CheckpointError.
    """
    known = (meta or {}).get("reading")
    problems = differences(spec, now, Reading.from_json(known)) if known else []
    if problems and now is not None:
        message = f"the vocabulary of {now.name} differs from the checkpoint's"
        hint = "bring the old data back, or start a new run on the new ones"
        raise CheckpointError([Problem(message, hint), *problems])


def differences(spec: Spec, now: Reading | None, known: Reading | None) -> list[Problem]:
    """Return in what the vocabularies of the spec's data differ from those of a checkpoint: new
    symbols where they stand first, and those that are gone."""
    if now is None or known is None:
        return []
    new = list[Problem]()
    if any(set(one.texts) - set(other.texts) for one, other, _ in _pairs(now, known)):
        found = strangers(spec.data, spec.base_dir, now, known, spec.problem)
        new = [replace(problem, hint="") for problem in found[:MAX_PROBLEMS]]
    return [*new, *_lacking(now, known)]


def _pairs(now: Reading, known: Reading) -> Iterator[tuple[Vocabulary, Vocabulary, str]]:
    """Yield each vocabulary of the data beside the checkpoint's, and what it is of."""
    for part, noun in (("vocabularies", "input"), ("answers", "target")):
        ours, theirs = getattr(now, part), getattr(known, part)
        for name in ours.keys() & theirs.keys():
            yield ours[name], theirs[name], f'{noun} "{name}"' if name else f"the {noun}"


def _lacking(now: Reading, known: Reading) -> Iterator[Problem]:
    for ours, theirs, which in _pairs(now, known):
        here = set(ours.texts)
        gone = [legible(text) for text in theirs.texts if text not in here]
        if gone:
            kind = theirs.kind + ("s" if len(gone) > 1 else "")
            names = listing(f'"{name}"' for name in gone)
            yield Problem(f"{which} no longer holds the {kind} {names}")
