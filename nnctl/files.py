"""Writing files so that a crash, a kill or a full disk leaves the old one or the new one, whole.

A leaf like ``errors``: checkpoints, summaries and reports all write through it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from nnctl.errors import CheckpointError

# Leftovers of a killed writer are found by this ending; nothing else in a run directory has it.
TEMPORARY = ".tmp"


def write_atomic(path: Path, chunks: Iterable[bytes | memoryview], *, durable: bool = True) -> None:
    """Replace ``path`` by the bytes of ``chunks`` in one move: readers see all of it or none.

    ``durable`` also survives a loss of power: the data before the name, the name before return.
    Raises CheckpointError, after removing the temporary file; what stood there before still does.
    """
    with os_errors(f"cannot write {path}", hint_for_write(path)):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=TEMPORARY)
        temporary = Path(name)
        try:
            try:
                _write(handle, chunks, durable)
            finally:
                os.close(handle)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        if durable:
            sync_directory(path.parent)


def _write(handle: int, chunks: Iterable[bytes | memoryview], durable: bool) -> None:
    for chunk in chunks:
        left = memoryview(chunk).cast("B")
        while left.nbytes:
            left = left[os.write(handle, left) :]
    # mkstemp makes files private; a checkpoint is as readable as the umask lets any file be.
    os.fchmod(handle, 0o666 & ~_umask())
    if durable:
        os.fsync(handle)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` survive a loss of power."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def point(link: Path, target: str) -> None:
    """Make ``link`` a relative symbolic link to ``target``, replacing an old one by rename."""
    if os.path.islink(link) and os.readlink(link) == target:
        return
    temporary = link.with_name(f".{link.name}.{os.getpid()}{TEMPORARY}")
    with os_errors(f"cannot make the link {link}", hint_for_write(link)):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        os.symlink(target, temporary)
        os.replace(temporary, link)
        sync_directory(link.parent)


def remove_leftovers(directory: Path) -> int:
    """Delete the temporary files of a killed writer; returns how many there were."""
    count = 0
    for path in directory.glob(f".*{TEMPORARY}"):
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            count += 1
    return count


def hint_for_write(path: Path) -> str:
    """Say what to do about a failed write; what was there before is untouched."""
    return f"free or grant space in {path.parent}; files written before are whole"


@contextlib.contextmanager
def os_errors(message: str, hint: str = "") -> Iterator[None]:
    """Turn an OSError (disk full, read-only, ...) into a CheckpointError that says ``message``."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"{message}: {error.strerror or error}", hint) from error
