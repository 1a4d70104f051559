"""CIFAR-10 and CIFAR-100 in their binary form: a file of records, or the folder of such files.

A record is one label (CIFAR-10: class) or two (CIFAR-100: coarse, fine), then the red, the green
and the blue plane of 32 by 32 bytes (Krizhevsky, Learning Multiple Layers of Features, 2009).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnctl.data.files import require_file
from nnctl.data.problems import file_error
from nnctl.data.sources.arrays import TRUNCATED, ArrayHeader, Arrays
from nnctl.data.sources.base import Defaults, Options, Source

if TYPE_CHECKING:
    import numpy as np

EXTENSIONS = (".bin",)

_PIXELS = 3 * 32 * 32
_TEN = {"class": 10}
_HUNDRED = {"coarse": 20, "fine": 100}
_NAMES = {"class": "batches.meta.txt", "coarse": "coarse_label_names.txt"}
_NAMES |= {"fine": "fine_label_names.txt"}


def batches(folder: Path) -> list[Path]:
    """Return the batches in a folder, in order of name."""
    return sorted(path for path in folder.glob("*.bin") if path.is_file())


def open_source(path: Path, options: Options) -> Source:
    """Look at the length of one batch and at its labels."""
    require_file(path)
    return Cifar(path, [path], options.target)


def open_folder(path: Path, options: Options) -> Source:
    """Look at all batches of a folder; one whose name starts with "test" is the test part."""
    files = batches(path)
    train = [file for file in files if not file.name.startswith("test")]
    test = [file for file in files if file.name.startswith("test")]
    if not train or not test or options.fits is not None:
        return Cifar(path, files, options.target)
    main = Cifar(path, train, options.target)
    main.parts["test"] = Cifar(path, test, options.target)
    return main


class Cifar(Arrays):
    """Batches as an array x of images, and an array for each label of a record."""

    def __init__(self, path: Path, files: list[Path], target: str | None = None) -> None:
        for file in files:
            require_file(file)
        self.kinds = _kinds(files)
        self.record = len(self.kinds) + _PIXELS
        self.batches = files
        count = sum(_count(file, self.record) for file in files)
        headers = {"x": ArrayHeader(path, "", (count, 32, 32, 3), "|u1")}
        self.named = {name: _names(files[0].parent, name, self.kinds[name]) for name in self.kinds}
        headers |= {name: ArrayHeader(path, "", (count,), "<U1") for name in self.kinds}
        super().__init__(path, headers)
        self.files = tuple(files)
        target = target if target in self.kinds else list(self.kinds)[-1]
        self.defaults = Defaults(target, "classification", self.named[target], ("x",))

    def data(self, name: str) -> bytes:
        """Return the pixels, channels last."""
        return self.array(name).tobytes()

    def labels(self, name: str) -> list[Any]:
        """Return the names of the classes. Raises DataError for a label that is none."""
        place, names = list(self.kinds).index(name), self.named[name]
        return [names[value] for value in self._values(place, len(names))]

    def _values(self, place: int, limit: int) -> Iterator[int]:
        for file in self.batches:
            with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=1) as view:
                values = view[place :: self.record]
            for row, value in enumerate(values):
                if value >= limit:
                    message = f"record {row}: label {value}, expected 0 to {limit - 1}"
                    raise file_error(file, message, "is this a CIFAR file? " + TRUNCATED)
                yield value

    def array(self, name: str) -> np.ndarray:
        """Return the images."""
        import numpy as np  # not above: `check` imports this file

        made = np.empty(self.headers["x"].shape, np.uint8)
        start = 0
        for file in self.batches:
            rows = np.fromfile(file, np.uint8).reshape(-1, self.record)[:, -_PIXELS:]
            planes = rows.reshape(-1, 3, 32, 32)
            made[start : start + len(rows)] = planes.transpose(0, 2, 3, 1)
            start += len(rows)
        return made


def _kinds(files: list[Path]) -> dict[str, int]:
    """Tell CIFAR-10 from CIFAR-100, by the length of the files, else by the names beside them."""
    sizes = [file.stat().st_size for file in files]
    fits = [
        kinds for kinds in (_TEN, _HUNDRED) if not any(s % (len(kinds) + _PIXELS) for s in sizes)
    ]
    if len(fits) == 1:
        return fits[0]
    hundred = files[0].name in ("train.bin", "test.bin")
    return _HUNDRED if hundred or (files[0].parent / _NAMES["fine"]).exists() else _TEN


def _count(file: Path, record: int) -> int:
    size = file.stat().st_size
    if size % record:
        message = f"{size} bytes, not a multiple of {record}, the length of a CIFAR record"
        raise file_error(file, message, TRUNCATED)
    return size // record


def _names(folder: Path, kind: str, count: int) -> tuple[str, ...]:
    """Return the names of classes from the file beside the batches; numbers without one."""
    path = folder / _NAMES[kind]
    if not path.is_file():
        return tuple(map(str, range(count)))
    names = tuple(path.read_text("utf-8", "replace").split())
    if len(set(names)) != count:
        message = f"{len(set(names))} names of classes, expected {count}"
        raise file_error(path, message, "write one name a line, or remove the file")
    return names
