"""Data in memory: whole sets, and the parts that a run sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from nnctl.data.reading import Reading


@dataclass(frozen=True)
class Target:
    """What is to be predicted, for N samples.

    ``class``: int64 (N,), indices into ``classes``. ``number``: float64 (N, width), in the units
    of the data. ``rows``: floating (N, width), outputs given whole: soft targets (then ``classes``
    names the columns), or the inputs themselves, pixels in [0, 1].

    Over the steps of sequences they have an axis more: ``class`` (N, steps) where -1 is not
    counted, ``number`` (N, steps, width) where NaN is not. ``ahead`` says that it lies so many
    steps behind the input, or behind a step of it; ``held_by`` names the inputs that hold it too
    (all of them without). Then ``naive``, of the shape of numbers, is what it was last.
    """

    kind: Literal["class", "number", "rows"]
    values: np.ndarray
    classes: tuple[str, ...] | None = None
    ahead: int | None = None
    naive: np.ndarray | None = None
    held_by: tuple[str, ...] | None = None

    @property
    def steps(self) -> int | None:
        """Steps that have a target each; None where a sample has one."""
        over_steps = self.values.ndim > (1 if self.kind == "class" else 2)
        return int(self.values.shape[1]) if over_steps else None


@dataclass(frozen=True)
class Dataset:
    """Samples as they were read; a single input or target has the key "".

    Inputs are (N, *shape), channels last: float32 or float64, uint8 for images (255 stands for
    1.0), int64 for other whole numbers, such as tokens. ``columns`` holds "group" (text) and
    "order" (float64) where the split asks for them; windows have an order always. ``test`` and
    ``validation`` come from files or blocks of their own. ``lengths`` (N,) int64 are those of
    inputs that are sequences of different lengths, padded with 0 on the right. ``reading`` is what
    another file needs to be read alike. ``files`` (N,) are the names of the files that the samples
    are, if they are files; ``lines`` (N,) those of rows and records in theirs, of windows (N,
    steps) up to what they predict. ``stride``: they are windows of one long sequence, so many steps
    apart.
    """

    inputs: dict[str, np.ndarray]
    targets: dict[str, Target]
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    test: Dataset | None = None
    validation: Dataset | None = None
    fingerprint: str = ""
    name: str = ""
    reading: Reading | None = None
    lengths: dict[str, np.ndarray] = field(default_factory=dict)
    files: np.ndarray | None = None
    lines: np.ndarray | None = None
    stride: int | None = None

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True)
class Part:
    """The samples of one split, gathered: contiguous arrays, where their rows were, their files."""

    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    index: np.ndarray
    lengths: dict[str, np.ndarray] = field(default_factory=dict)
    naive: dict[str, np.ndarray] = field(default_factory=dict)
    files: np.ndarray | None = None
    lines: np.ndarray | None = None

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return len(self.index)

    def origin(self, row: int) -> dict[str, Any]:
        """Return what people find a row by: its place in the data and, if it has one, its file."""
        file = {} if self.files is None else {"file": str(self.files[row])}
        return {"sample": int(self.index[row]), **file}


@dataclass(frozen=True)
class Splits:
    """The parts of a dataset; what was not asked for is None."""

    train: Part
    validation: Part | None
    test: Part | None


def gather(dataset: Dataset, index: np.ndarray) -> Part:
    """Copy the rows of ``index`` (int64, in that order) into arrays of their own."""
    return _part(dataset, index, index)


def whole(dataset: Dataset) -> Part:
    """Return all rows as one part, without copying what is contiguous already."""
    return _part(dataset, slice(None), np.arange(dataset.samples, dtype=np.int64))


def _part(dataset: Dataset, rows: slice | np.ndarray, index: np.ndarray) -> Part:
    def taken(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {key: np.ascontiguousarray(values[rows]) for key, values in arrays.items()}

    targets = {key: target.values for key, target in dataset.targets.items()}
    naive = {key: t.naive for key, t in dataset.targets.items() if t.naive is not None}
    inputs, lengths = taken(dataset.inputs), taken(dataset.lengths)
    files = None if dataset.files is None else dataset.files[rows]
    lines = None if dataset.lines is None else dataset.lines[rows]
    return Part(inputs, taken(targets), index, lengths, taken(naive), files, lines)
