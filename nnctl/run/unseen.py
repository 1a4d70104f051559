"""Samples that are no part of a run's data, from a file or folder named on the command line.

They are read as the training data were, and what is wrong with them is told to someone who has a
file and a command, but no spec to change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nnctl.data import Part, load_more
from nnctl.data.bundled import folders
from nnctl.data.dataset import whole
from nnctl.data.files import require_target
from nnctl.data.reading import Reading
from nnctl.errors import DataError, Problem
from nnctl.spec.data import DataSpec
from nnctl.spec.shapes import format_shape
from nnctl.spec.suggest import nearest

KEY = re.compile(r"\bdata\.(\w+)")
COLORS = {1: "1 channel (gray)", 3: "3 channels (RGB)", 4: "4 channels (RGBA)"}


def read_unseen(data: DataSpec, reading: Reading, source: str, *, labeled: bool) -> Part:
    """Return all samples of a path or a bundled set; a path that is there comes first.

    Raises DataError.
    """
    try:
        part = whole(load_more(data, reading, _named(source), labeled=labeled))
    except DataError as error:
        raise DataError(_told(problem, data, reading) for problem in error.problems) from error
    if not part.samples:
        raise DataError(f"{source} holds no samples", "give a file with at least one")
    return part


def _named(source: str) -> str:
    """Return a source so that it is read as a path where it is one. Raises DataError."""
    path, is_path = Path(source), any(mark in source for mark in "./\\")
    if path.exists():
        return source if is_path else f"./{source}"
    require_target(path)
    if not is_path and source in folders():
        return source
    bundled = [] if is_path else list(folders())
    near = nearest(path.name, [*(file.name for file in path.parent.glob("*")), *bundled])
    hint = "give a file, a folder of images, or the name of a bundled dataset"
    if near:
        hint = f"did you mean {near if near in bundled else path.with_name(near)}?"
    raise DataError(f"no such file: {source}", hint)


def _told(problem: Problem, data: DataSpec, reading: Reading) -> Problem:
    """Return a problem without a key of the spec, and with remedies that can be had."""
    path = "" if problem.path.startswith("data.") else problem.path
    if not KEY.search(problem.hint):
        return replace(problem, path=path)
    possible = [line for line in map(_possible, problem.hint.splitlines()) if line]
    hint = "\n".join(possible) or "; ".join(dict.fromkeys(_instead(problem.hint, data, reading)))
    return replace(problem, path=path, hint=hint)


def _possible(line: str) -> str:
    """Return those alternatives of a line of a hint that need no key of the spec."""
    return ", or ".join(part for part in line.split(", or ") if not KEY.search(part))


def _instead(hint: str, data: DataSpec, reading: Reading) -> Iterator[str]:
    """Yield what can be done to the data, where a hint speaks of keys of the spec alone."""
    shape = next(iter(reading.shapes.values()), ())
    known = {
        "image_size": f"resize the images to {format_shape(shape[-3:-1])}",
        "channels": f"convert the images to {COLORS.get(shape[-1] if shape else 0, 'one kind')}",
        "frames": f"give clips of {shape[0] if shape else 0} frames",
        "delimiter": f"part the cells by {data.delimiter or ','!r}, as in {reading.name}",
    }
    for key in dict.fromkeys(KEY.findall(hint)):
        yield known.get(key, f"give data of the form of {reading.name}")
