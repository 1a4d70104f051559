"""Readers of data files, one file per format, found by the extensions that each declares.

A reader is a module with ``EXTENSIONS`` and ``open_source(path, options) -> Source``; dropping a
file here adds a format. Stdlib only until arrays are asked for.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from nnctl.data.files import require_file
from nnctl.data.problems import file_error, listing
from nnctl.data.sources.base import Options, Source


@cache
def extensions() -> dict[str, ModuleType]:
    """Return the reader of each file name ending, the longest ending first."""
    found: dict[str, ModuleType] = {}
    for module in pkgutil.iter_modules(__path__):
        reader = importlib.import_module(f"{__name__}.{module.name}")
        for extension in getattr(reader, "EXTENSIONS", ()):
            found[extension] = reader
    return dict(sorted(found.items(), key=lambda item: (-len(item[0]), item[0])))


def open_source(path: Path, options: Options) -> Source:
    """Open a data file by the ending of its name; read no more than its header.

    Raises DataError where there is no such file, or no reader for its name.
    """
    if path.is_dir():
        return _open_folder(path, options)
    require_file(path)
    name = path.name.lower()
    for extension, reader in extensions().items():
        if name.endswith(extension):
            source: Source = reader.open_source(path, options)
            return source
    known = listing(sorted(extensions()), limit=30)
    message = f'no reader for a file called "{path.name}"'
    raise file_error(path, message, f"names that can be read end in {known}")


def _open_folder(path: Path, options: Options) -> Source:
    from nnctl.data.sources import cifar, pictures

    if cifar.batches(path):
        return cifar.open_folder(path, options)
    return pictures.open_folder(path, options)
