"""Learn from the training part how inputs and numeric targets are centered and scaled.

standard: (x - mean) / deviation, with the deviation of the population. minmax: (x - min) / (max -
min). One pair of numbers per feature of a table, per channel of an image, per feature of a
sequence: statistics run over all axes but the last, of targets without what is not counted (NaN).
Of windows, all of which are of the training part, each counts as a sample does. What does not vary
has scale 1. Bytes count as 255ths, as everywhere. The engine applies ``(x - mean) * scale``;
nothing here changes the data.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nnctl.data.dataset import Part
from nnctl.errors import DataError

if TYPE_CHECKING:
    from nnctl.spec.data import DataSpec

Pair = tuple[np.ndarray, np.ndarray]
"""(mean, scale), float64 (width,) each: ``(x - mean) * scale`` is what the network sees."""

# Sums run over portions of this many rows, then over the portions: one fixed order, little memory.
_PORTION = 4096


@dataclass(frozen=True)
class Normalizer:
    """What was fitted, by the name of the input or target; None where nothing is to be done."""

    inputs: dict[str, Pair | None] = field(default_factory=dict)
    targets: dict[str, Pair | None] = field(default_factory=dict)

    def tensors(self) -> dict[str, np.ndarray]:
        """Return what a checkpoint keeps: ``normalize/mean``, ``target/scale/NAME`` and so on."""
        found = {}
        for prefix, pairs in (("normalize", self.inputs), ("target", self.targets)):
            for name, pair in pairs.items():
                if pair is not None:
                    found[_key(prefix, "mean", name)] = pair[0]
                    found[_key(prefix, "scale", name)] = pair[1]
        return found

    @classmethod
    def from_tensors(cls, tensors: dict[str, np.ndarray]) -> Normalizer:
        """Return the normalizer of a checkpoint; tensors of other names are ignored."""
        sides: dict[str, dict[str, Pair | None]] = {"normalize": {}, "target": {}}
        for key, mean in tensors.items():
            prefix, _, rest = key.partition("/")
            what, _, name = rest.partition("/")
            if prefix in sides and what == "mean":
                sides[prefix][name] = (mean, tensors[_key(prefix, "scale", name)])
        return cls(sides["normalize"], sides["target"])


def _key(prefix: str, what: str, name: str) -> str:
    return f"{prefix}/{what}/{name}" if name else f"{prefix}/{what}"


def fit_normalizer(data: DataSpec, train: Part, tokens: Container[str] = ()) -> Normalizer:
    """Fit on the training part what ``data`` asks for, in float64 and in a fixed order.

    Inputs that are ``tokens`` stay what they are. Raises DataError where values are too large for
    their squares to be summed.
    """
    inputs: dict[str, Pair | None] = {}
    for name, values in train.inputs.items():
        stays = data.normalize == "none" or name in tokens
        fitted = None if stays else _fit(values, str(data.normalize))
        inputs[name] = _checked(fitted, f'input "{name}"' if name else "the input")
    targets: dict[str, Pair | None] = {}
    for name, values in train.targets.items():
        numbers = values.ndim >= 2 and values.dtype.kind == "f" and data.normalize_target
        fitted = _fit(_counted(values), "standard") if numbers else None
        targets[name] = _checked(fitted, f'target "{name}"' if name else "the target")
    return Normalizer(inputs, targets)


def _counted(values: np.ndarray) -> np.ndarray:
    """Return the rows of a target that count: over steps, those without NaN."""
    rows = values.reshape(-1, values.shape[-1])
    there = rows[~np.isnan(rows).any(axis=1)] if values.ndim == 3 else rows
    if not len(there):
        raise DataError("no step of the target counts: all of them hold NaN", "give some numbers")
    return there


def _fit(values: np.ndarray, method: str) -> Pair:
    rows = values.reshape(-1, values.shape[-1])
    low, high = _extremes(rows)
    if method == "minmax":
        with np.errstate(over="ignore"):
            return low, _inverse(high - low, low == high)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = _total(rows, low * 0.0, 1) / len(rows)
        variance = _total(rows, mean, 2) / len(rows)
    return np.where(low == high, low, mean), _inverse(np.sqrt(variance), low == high)


def _inverse(spread: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Return 1 / spread; 1 where nothing varies or too little for a reciprocal, NaN at overflow."""
    with np.errstate(divide="ignore", over="ignore"):
        scale = 1.0 / np.where(constant, 1.0, spread)
    return np.where(np.isinf(spread), np.nan, np.where(np.isinf(scale), 1.0, scale))


def _portions(rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows in portions, as float64 in the units the network sees."""
    unit = 255.0 if rows.dtype == np.uint8 else 1.0
    for start in range(0, len(rows), _PORTION):
        yield rows[start : start + _PORTION].astype(np.float64) / unit


def _extremes(rows: np.ndarray) -> Pair:
    unit = 255.0 if rows.dtype == np.uint8 else 1.0
    return rows.min(axis=0) / unit, rows.max(axis=0) / unit


def _total(rows: np.ndarray, center: np.ndarray, power: int) -> np.ndarray:
    """Sum (x - center) ** power over the rows, portion by portion."""
    total = np.zeros(rows.shape[1])
    for portion in _portions(rows):
        centered = portion - center
        total += (centered if power == 1 else centered * centered).sum(axis=0)
    return total


def _checked(pair: Pair | None, what: str) -> Pair | None:
    if pair is not None and not all(np.isfinite(values).all() for values in pair):
        column = int(np.flatnonzero(~np.isfinite(pair[0] + pair[1]))[0])
        message = f"{what} is too large to be normalized in feature {column}"
        raise DataError(message, "bring the values below 1e150, e.g. in other units")
    return pair
