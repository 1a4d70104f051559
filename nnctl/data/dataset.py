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

    Over steps there is one for each step of a sample: classes (N, steps), -1 where the step does
    not count; numbers (N, steps, width), NaN where it does not.
    """

    kind: Literal["class", "number", "rows"]
    values: np.ndarray
    classes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Dataset:
    """Samples as they were read; a single input or target has the key "".

    Inputs are (N, *shape), channels last: float32 or float64, uint8 for images (255 stands for
    1.0), int64 for other whole numbers, such as tokens. ``columns`` holds "group" (text) and
    "order" (float64) where the split asks for them. ``test`` and ``validation`` come from files of
    their own. ``reading`` is what another file needs to be read alike. ``lengths`` holds, int64
    (N,), how many steps each sample of an input has where these are padded to one length.
    ``files`` (N,) are the names of the files that the samples are, if they are files.
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
    files: np.ndarray | None = None

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
    inputs = {key: np.ascontiguousarray(x[index]) for key, x in dataset.inputs.items()}
    targets = {key: np.ascontiguousarray(t.values[index]) for key, t in dataset.targets.items()}
    lengths = {key: np.ascontiguousarray(x[index]) for key, x in dataset.lengths.items()}
    files = None if dataset.files is None else dataset.files[index]
    return Part(inputs, targets, index, lengths, files)


def whole(dataset: Dataset) -> Part:
    """Return all rows as one part, without copying what is contiguous already."""
    inputs = {key: np.ascontiguousarray(x) for key, x in dataset.inputs.items()}
    targets = {key: np.ascontiguousarray(t.values) for key, t in dataset.targets.items()}
    index = np.arange(dataset.samples, dtype=np.int64)
    return Part(inputs, targets, index, dict(dataset.lengths), dataset.files)
