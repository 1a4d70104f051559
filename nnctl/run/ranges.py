"""Whether the data's numbers fit the network's precision, before any step is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnctl.data import Normalizer, Part
from nnctl.errors import DataError, Problem

Found = tuple[int, int, float]  # sample, number of it, value
Scaling = tuple[np.ndarray, np.ndarray]


def check_range(
    parts: Mapping[str, Part], normalizer: Normalizer, dtype: str, files: Mapping[str, str]
) -> None:
    """Raise DataError for numbers that would be infinite in ``dtype``, after normalization;
    ``files`` are those of the parts, whose rows have lines."""
    problems = []
    for name, part in parts.items():
        for arrays, scalings, noun in (
            (part.inputs, normalizer.inputs, "input"),
            (part.targets, normalizer.targets, "target"),
        ):
            for key, values in arrays.items():
                label = f'{noun} "{key}"' if key else noun
                found = _beyond(values, scalings.get(key), np.dtype(dtype))
                if found is not None:
                    problem = _problem(label, name, found, dtype)
                    line = _line(part, values, found, ahead=noun == "target")
                    if line:
                        problem = replace(problem, file=files[name], line=line, column=1)
                    problems.append(problem)
    if problems:
        raise DataError(problems)


def _beyond(values: np.ndarray, scaling: Scaling | None, dtype: np.dtype) -> Found | None:
    """Return sample, column and value of the first number that ``dtype`` cannot hold."""
    if values.dtype != np.float64 or dtype == np.float64:
        return None
    rows = values.reshape(len(values), -1)
    if scaling is not None:
        mean, scale = (np.resize(part, rows.shape[1]) for part in scaling)
        with np.errstate(over="ignore"):
            rows = (rows - mean) * scale
    bad = np.abs(rows) > np.finfo(dtype).max
    if not bad.any():
        return None
    sample, column = np.unravel_index(int(np.argmax(bad)), bad.shape)
    return int(sample), int(column), float(values.reshape(len(values), -1)[sample, column])


def _line(part: Part, values: np.ndarray, found: Found, *, ahead: bool) -> int:
    """Return the line of a number, 0 if there is none; ``ahead``: it ends with its window."""
    sample, column, _ = found
    if part.lines is None:
        return 0
    if part.lines.ndim == 1:
        return int(part.lines[sample])
    steps = values.shape[1] if values.ndim > 2 else 1
    step = column * steps // int(np.prod(values.shape[1:]))
    return int(part.lines[sample, part.lines.shape[1] - steps + step if ahead else step])


def _problem(label: str, part: str, found: Found, dtype: str) -> Problem:
    sample, column, value = found
    return Problem(
        f"{label}: {value:g} (sample {sample} of the {part} part, number {column})"
        f" is beyond what {dtype} holds",
        'set normalize = "standard" in [data], or dtype = "float64" in [training]',
    )
