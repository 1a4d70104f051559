"""NPZ: several named NumPy arrays in a zip file, as numpy.savez writes it.

The target is the array ``y`` and the input ``x`` unless the spec says otherwise; with exactly one
array left, that is the input.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from nnctl.data.files import require_file
from nnctl.data.problems import file_error
from nnctl.data.sources.arrays import Arrays, require_size
from nnctl.data.sources.base import Defaults, Options, Source
from nnctl.data.sources.npy import read_header

EXTENSIONS = (".npz",)


def open_source(path: Path, options: Options) -> Source:
    """Read the headers of all arrays of the archive."""
    return Npz(path)


class Npz(Arrays):
    """An archive of arrays."""

    def __init__(self, path: Path) -> None:
        headers = {}
        with _archive(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            for info in members:
                name = info.filename.removesuffix(".npy")
                with archive.open(info) as stream:
                    header = read_header(cast(BinaryIO, stream), path, f'array "{name}"')
                    require_size(header, info.file_size - stream.tell())
                headers[name] = header
        if not headers:
            raise file_error(path, "the archive holds no arrays", "write it with numpy.savez")
        super().__init__(path, headers)
        names = set(headers)
        self.defaults = Defaults(
            "y" if "y" in names else None, inputs=("x",) if "x" in names else None
        )

    def data(self, name: str) -> bytes:
        """Read the numbers of one array."""
        header = self.headers[name]
        with _archive(self.path) as archive, archive.open(name + ".npy") as stream:
            read_header(cast(BinaryIO, stream), self.path, header.label)
            return stream.read()


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file; failures while reading are DataErrors."""
    require_file(path)
    hint = "the file was cut short or damaged; write or copy it again"
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise file_error(path, f"not a whole NPZ (zip) file: {error}", hint) from None
    except (NotImplementedError, RuntimeError) as error:  # other compression, encryption
        raise file_error(
            path, f"cannot be unpacked: {error}", "write it with numpy.savez"
        ) from None
    except OSError as error:
        raise file_error(path, f"cannot be read: {error.strerror or error}") from None
