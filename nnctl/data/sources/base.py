"""What every source of data offers, whatever its format. Stdlib only: ``check`` reads through this.

A source names its fields (columns of a table, arrays of an archive) without reading the data; told
which role each field plays, it reads them, checks every value, and hands out arrays on demand.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nnctl.data.problems import in_file
from nnctl.errors import Problem
from nnctl.spec.shapes import Shape

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Field:
    """A column or array that is not an input: a target, a group, a time.

    ``text`` and ``integer`` fields of one value a sample keep their ``values``; anything else is
    read by ``load`` when arrays are wanted, as an array (N, *shape). ``whole`` gives the numbers of
    an integer field of one axis a sample, sample after sample.
    """

    name: str
    kind: Literal["text", "integer", "float"]
    shape: Shape = ()
    values: Sequence[Any] | None = None
    load: Callable[[], np.ndarray] | None = None
    whole: Callable[[], Sequence[int]] | None = None


@dataclass(frozen=True)
class Content:
    """What a source holds, once roles are known.

    ``inputs`` makes the arrays (N, *shape) of each input, of these ``dtypes``; ``place`` names the
    file and line of a row (counted from 0) in a mistake that is found later, such as a label
    outside the classes. ``tokens`` gives the numbers of the inputs that may be tokens: integers of
    one axis a sample. ``files`` names the file of each sample, where samples are files; ``lines``
    are those of the samples in a text file.
    """

    samples: int
    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]
    fields: Mapping[str, Field]
    inputs: Callable[[], dict[str, np.ndarray]]
    place: Callable[[int, str, str], Problem]
    tokens: Callable[[], dict[str, Sequence[int]]] = dict
    files: Callable[[], list[str]] | None = None
    lines: Sequence[int] = ()


@dataclass(frozen=True)
class Wanted:
    """Which fields to read: those of each input, and the others; ``texts`` are those of the others
    that are read as text, so that a number is none."""

    inputs: Mapping[str, tuple[str, ...]]
    fields: tuple[str, ...]
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Defaults:
    """What a source knows of itself where the spec is silent (bundled sets know most)."""

    target: str | None = None
    task: str | None = None
    classes: tuple[str, ...] | None = None
    inputs: tuple[str, ...] | None = None


class Source(ABC):
    """One data file, or one pair of files, whose field names are known."""

    noun = "column"
    merges = True  # several fields may be joined into one input
    is_table = False  # its rows may be steps in order of time
    is_text = False  # obeys data.delimiter and data.header
    obeys: tuple[str, ...] = ()  # keys of the spec for images that have an effect
    is_paired = False  # the spec's target names a file, and the field is called "y"

    def __init__(self, path: Path, names: tuple[str, ...]) -> None:
        self.path = path
        self.names = names
        self.defaults = Defaults()
        self.files: tuple[Path, ...] = (path,)
        self.parts: dict[str, Source] = {}  # test and validation, where the data are divided

    @abstractmethod
    def read(self, wanted: Wanted, *, keep: bool) -> Content:
        """Read and check the fields; with ``keep`` false, inputs are checked but not kept.

        Raises DataError with file and line for everything that is wrong with them.
        """

    def describe(self, message: str, hint: str) -> Problem:
        """Name a mistake of the whole file."""
        return in_file(self.path, message, hint)


@dataclass(frozen=True)
class Options:
    """How a file is to be read, as far as the spec says.

    ``target`` is the spec's target and ``base_dir`` what it is relative to, for formats where the
    targets lie in a file of their own, which is not looked for unless ``labeled``. ``fits`` is the
    shape of a sample in the data that these belong to; None where they are the main ones.
    """

    base_dir: Path = Path()
    target: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    labeled: bool = True
    channels: int | None = None
    image_size: tuple[int, int] | None = None
    frames: int | None = None
    fits: Shape | None = None

    @property
    def is_labeled(self) -> bool:
        """Whether a class is asked for: the input itself is no class."""
        return self.labeled and not (self.target or "").startswith("@")

    def target_file(self) -> Path | None:
        """Return the path of the targets' file, if the spec names one."""
        if self.target is None or not self.labeled or self.target.startswith("@"):
            return None
        return self.base_dir / self.target
