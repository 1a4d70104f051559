"""IDX, plain or gzipped: the format of MNIST, one file of images and one of labels.

Head: two zero bytes, a type, the number of axes, then the size of each axis, all big-endian
(LeCun, Cortes & Burges, THE MNIST DATABASE). Labels are the file that the spec's target names, or
the one called as the images with "labels" for "images" and "idx1" for "idx3".
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from nnctl.data.files import open_binary, require_file
from nnctl.data.problems import file_error
from nnctl.data.sources.arrays import TRUNCATED, ArrayHeader, Arrays, require_size
from nnctl.data.sources.base import Defaults, Options, Source

EXTENSIONS = (".idx", ".idx.gz", "ubyte", "ubyte.gz")

_TYPES = {0x08: "|u1", 0x09: "|i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def open_source(path: Path, options: Options) -> Source:
    """Read the heads of the images' and the labels' file."""
    alone = not options.labeled or (options.target or "").startswith("@")
    return Idx(path, None if alone else options.target_file() or _partner(path))


def _partner(path: Path) -> Path:
    """Return the file of the labels that belongs to a file of images."""
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    if name == path.name:
        hint = 'set data.target to the file of labels, or to "@input" for an autoencoder'
        raise file_error(path, "no file of labels goes with this one by its name", hint)
    partner = path.with_name(name)
    if not partner.exists():
        hint = "put it there, or set data.target to the file of labels"
        raise file_error(partner, f"no such file: the labels of {path.name}", hint)
    return partner


class Idx(Arrays):
    """A pair of files, images x and labels y."""

    is_paired = True

    def __init__(self, path: Path, target: Path | None) -> None:
        paths = {"x": path} | ({"y": target} if target else {})
        headers = {name: _header(file) for name, file in paths.items()}
        super().__init__(path, headers)
        self.files = tuple(paths.values())
        self.defaults = Defaults("y" if target else None, inputs=("x",))

    def data(self, name: str) -> bytes:
        """Read the numbers."""
        header = self.headers[name]
        with open_binary(header.file) as stream:
            _read_head(stream, header.file)
            return stream.read()


def _header(file: Path) -> ArrayHeader:
    require_file(file)
    with open_binary(file) as stream:
        shape, descr = _read_head(stream, file)
        header = ArrayHeader(file, "", shape, descr)
        if not file.name.endswith(".gz"):
            require_size(header, file.stat().st_size - stream.tell())
    return header


def _read_head(stream: BinaryIO, file: Path) -> tuple[tuple[int, ...], str]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not magic[3]:
        message = f"not an IDX file: it starts with {magic.hex(' ') or 'nothing'}"
        hint = "expected 00 00, a type (08 for bytes) and the number of axes"
        raise file_error(file, message, hint)
    sizes = stream.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise file_error(file, "truncated in its head", TRUNCATED)
    return struct.unpack(f">{magic[3]}I", sizes), _TYPES[magic[2]]
