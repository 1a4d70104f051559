"""Where the symbols of data stand that another vocabulary does not know. Stdlib only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.data import records, text
from nnctl.data.opening import Opener
from nnctl.data.problems import Locate
from nnctl.data.reading import Reading
from nnctl.data.tokens import UNKNOWN, Vocabulary
from nnctl.errors import DataError, Problem

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec

WHOSE = "the checkpoint"


def strangers(
    data: DataSpec, base_dir: Path, now: Reading, known: Reading, locate: Locate
) -> list[Problem]:
    """Return the symbols of the main file that ``known`` lacks, each at its first place.

    ``now`` is how the file is read otherwise.
    """
    if not isinstance(data.source, str):
        return []
    inputs, answers = _strict(known.vocabularies), _strict(known.answers)
    reading = replace(now, name=WHOSE, vocabularies=inputs, answers=answers)
    try:
        if now.noun == "text":
            opened, whose = Opener(data, base_dir, locate), f"the vocabulary of {WHOSE}"
            text.open_more(opened, reading, data.source, whose=whose)
        else:
            opener = records.RecordOpener(data, base_dir, locate)
            opener.like(reading, data.source, ("data", "source"), keep=True)
    except DataError as error:
        return list(error.problems)
    return []


def _strict(known: Mapping[str, Vocabulary]) -> dict[str, Vocabulary]:
    """Return vocabularies without a symbol for what is unknown, so that it is told."""
    return {
        name: replace(each, specials=tuple(s for s in each.specials if s != UNKNOWN))
        for name, each in known.items()
    }
