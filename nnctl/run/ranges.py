"""Whether the data's numbers fit the network's precision, before any step is taken."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnctl.data import Normalizer, Part
from nnctl.errors import DataError, Problem

Scaling = tuple[np.ndarray, np.ndarray]


def check_range(parts: Mapping[str, Part], normalizer: Normalizer, dtype: str) -> None:
    """Raise DataError for numbers that would be infinite in ``dtype``, after normalization."""
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
                    problems.append(_problem(label, name, found, dtype))
    if problems:
        raise DataError(problems)


def _beyond(
    values: np.ndarray, scaling: Scaling | None, dtype: np.dtype
) -> tuple[int, int, float] | None:
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


def _problem(label: str, part: str, found: tuple[int, int, float], dtype: str) -> Problem:
    sample, column, value = found
    return Problem(
        f"{label}: {value:g} (sample {sample} of the {part} part, number {column})"
        f" is beyond what {dtype} holds",
        'set normalize = "standard" in [data], or dtype = "float64" in [training]',
    )
